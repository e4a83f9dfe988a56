// The server app as a process whose key file changes.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { generateKey, SecretKey } from '@sealwire/crypto';
import { formatKeyringFile } from '@sealwire/crypto/internal';
import { afterAll, describe, expect, it } from 'vitest';

import { AppProcesses } from '../../support/app-process.js';

const apps = new AppProcesses();

afterAll(() => apps.end());

function newEntry(label: string) {
  const bytes = generateKey();
  return { bytes, key: SecretKey.fromBytes(bytes, 'The key', { label }), state: 'accept' as const };
}

async function healthOf(url: string | undefined): Promise<unknown> {
  const response = await fetch(url ?? '');
  const body = (await response.json()) as Readonly<Record<string, unknown>>;
  return { httpStatus: response.status, ...body };
}

/** Makes a process send itself SIGHUP as soon as it begins to load Nest. */
const hook =
  'export async function resolve(name,context,next)' +
  "{if(name==='@nestjs/core')process.kill(process.pid,'SIGHUP');return next(name,context)}";
const program = `import{register}from'node:module';register('data:text/javascript,${encodeURIComponent(hook).replaceAll("'", '%27')}')`;
const SIGHUP_EARLY = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(program)}` };

describe.skipIf(process.platform === 'win32')('SIGHUP', () => {
  it.each(['server', 'client'] as const)('during the start does not end an app: %s', async (app) => {
    const keyFile = join(await apps.directory(), `${app}.bin`);
    writeFileSync(keyFile, generateKey(), { mode: 0o600 });
    const started = await apps.start(app, { ...SIGHUP_EARLY, SEALWIRE_KEY_FILE: keyFile });
    await started.ready();
    expect(await started.stop('SIGTERM')).toBe(0);
  });

  it('makes an app load its keys again instead of ending it, and a wrong file changes nothing', async () => {
    const keyFile = join(await apps.directory(), 'ring.json');
    const [first, second] = [newEntry('first'), newEntry('second')];
    writeFileSync(keyFile, formatKeyringFile([first]), { mode: 0o600 });
    const server = await apps.start('server', { SEALWIRE_KEY_FILE: keyFile });
    const { keyId, health } = await server.ready();
    expect(keyId).toBe(first.key.id);
    await server.logged(`Loaded keyring ${keyFile}: 1 key, primary none`);

    writeFileSync(`${keyFile}.new`, formatKeyringFile([first, { ...second, state: 'primary' }]), { mode: 0o600 });
    renameSync(`${keyFile}.new`, keyFile);
    server.signal('SIGHUP');
    await server.logged(`Loaded keyring ${keyFile}: 2 keys, primary ${second.key.id}`);
    expect(await healthOf(health)).toMatchObject({ info: { channel: { status: 'up' } } });

    const k = Buffer.from(second.bytes).toString('base64url');
    writeFileSync(
      keyFile,
      Buffer.from(formatKeyringFile([second]))
        .toString()
        .replace('"oct"', `"${k}"`),
    );
    server.signal('SIGHUP');
    const { level } = await server.logged('has a string of 43 characters as kty');
    expect(level).toBe('warn');
    expect(await healthOf(health)).toMatchObject({
      status: 'ok',
      info: { channel: { status: 'up', keysError: 'ERR_KEYRING_FORMAT' } },
    });
    expect(await server.stop('SIGTERM')).toBe(0);
    for (const secret of [k, Buffer.from(second.bytes).toString('hex')])
      expect(server.output.join('')).not.toContain(secret);
  });
});

describe.skipIf(process.platform === 'win32')('SIGHUP twice', () => {
  it('loads the keys of the last content; without a usable key the server warns and is unhealthy', async () => {
    const keyFile = join(await apps.directory(), 'twice.json');
    const [first, second] = [newEntry('first'), newEntry('second')];
    writeFileSync(keyFile, formatKeyringFile([first]), { mode: 0o600 });
    const server = await apps.start('server', { SEALWIRE_KEY_FILE: keyFile });
    const { health } = await server.ready();
    writeFileSync(keyFile, formatKeyringFile([first, second]));
    server.signal('SIGHUP');
    server.signal('SIGHUP');
    await server.logged(`Loaded keyring ${keyFile}: 2 keys, primary none`);
    expect(await healthOf(health)).toMatchObject({ httpStatus: 200 });
    writeFileSync(keyFile, formatKeyringFile([{ ...first, state: 'retired' }]));
    server.signal('SIGHUP');
    server.signal('SIGHUP');
    expect((await server.logged(`No key of the key file ${keyFile} may be used now`)).level).toBe('warn');
    const reason = 'No key may be used now, so no message can arrive; the log has the remedy';
    expect(await healthOf(health)).toMatchObject({
      httpStatus: 503,
      error: { channel: { status: 'down', message: reason } },
    });
    writeFileSync(keyFile, formatKeyringFile([first, second]));
    server.signal('SIGHUP');
    await expect.poll(() => healthOf(health)).toMatchObject({ httpStatus: 200 });
    expect(await server.stop('SIGTERM')).toBe(0);
    expect(server.stderr).toBe('');
  });
});

describe('the entry Ready', () => {
  it('names no key if the primary key of the client has expired, although it accepts another one', async () => {
    const keyFile = join(await apps.directory(), 'expired.json');
    const expired = { ...newEntry('expired'), state: 'primary' as const, notAfter: Date.now() - 60_000 };
    writeFileSync(keyFile, formatKeyringFile([expired, newEntry('other')]), { mode: 0o600 });
    const client = await apps.start('client', { SEALWIRE_KEY_FILE: keyFile });
    expect((await client.ready())['keyId']).toBe('none');
  });
});
