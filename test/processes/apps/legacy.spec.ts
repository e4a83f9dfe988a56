// The server app with LEGACY_PORT set: the original program on one port, the channel on another.
import { createCipheriv, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

import { generateKey, SecretKey } from '@sealwire/crypto';
import { formatKeyringFile } from '@sealwire/crypto/internal';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { AppProcesses } from '../../support/app-process.js';
import type { AppProcess, Env } from '../../support/app-process.js';
import { startFailure } from './app-here.js';
import { post } from '../../support/http-call.js';
import { startClientHere } from '../../e2e/apps/trigger-app.js';

const LEGACY = { LEGACY_PORT: '0', LEGACY_KEY_FILE: 'legacy_key.bin' };
const ALERT = 'e1534c5701ff0000';
const PREAMBLE_1 = Buffer.from('e1534c5701010068', 'hex');

const apps = new AppProcesses();
const key = randomBytes(32);
/** With the legacy wire on. Each case sends texts of its own. */
let server: AppProcess;
let addresses: Readonly<Record<string, string>>;

beforeAll(async () => {
  await writeFile(join(await apps.directory(), 'legacy_key.bin'), key, { mode: 0o600 });
  server = await apps.start('server', LEGACY);
  addresses = await server.ready();
});

afterAll(() => apps.end());

function encrypt(text: string): Buffer {
  const cipher = createCipheriv('aes-128-cbc', key.subarray(0, 16), key.subarray(16));
  return Buffer.concat([cipher.update(text), cipher.final()]);
}

/** Sends bytes and FIN, and answers what comes back until the end. */
async function sendTo(address = '', bytes: Uint8Array = Buffer.alloc(0)): Promise<Buffer> {
  const socket = connect({ host: '127.0.0.1', port: Number(address.split(':')[1]) });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.end(bytes);
  return buffer(socket).catch(() => Buffer.alloc(0));
}

async function refusal(env: Env): Promise<string | undefined> {
  return startFailure('server', await apps.directory(), env);
}

/** What the log says that came on the legacy wire with this text. */
const legacyLines = (text: string): readonly string[] => {
  const sealed = encrypt(text).toString('hex');
  return server.log.map(({ message }) => message).filter((message) => message.endsWith(sealed));
};

describe('the server app with the legacy wire on', () => {
  it('prints a message as the original did, in hex and decrypted, with its sender', async () => {
    expect(await sendTo(addresses['legacy'], encrypt('Hello Server!'))).toHaveLength(0);
    await server.logged('Decrypted: Hello Server!');
    expect(legacyLines('Hello Server!')).toEqual([
      expect.stringMatching(
        new RegExp(
          `^Received on the legacy wire from 127\\.0\\.0\\.1:\\d+, encrypted \\(16 bytes\\): ${encrypt('Hello Server!').toString('hex')}$`,
        ),
      ),
    ]);
    expect(server.log.find(({ message }) => message.startsWith('The legacy wire is enabled'))).toMatchObject({
      level: 'warn',
    });
  });

  it('serves the channel next to it', async () => {
    const keyFile = { SEALWIRE_KEY_FILE: join(await apps.directory(), 'aes_key.bin') };
    const { app, url } = await startClientHere({ SEALWIRE_SERVERS: addresses['channel'], ...keyFile });
    onTestFinished(() => app.close());
    expect(await post(`${url}/messages`, { text: 'sealed' })).toMatchObject({ status: 200 });
    await sendTo(addresses['legacy'], encrypt('bare'));
    await server.logged('Decrypted: bare');
    expect([legacyLines('bare').length, legacyLines('sealed').length]).toEqual([1, 0]);
  });

  it('continues after malformed messages, and sends nothing back', async () => {
    const shaken = await apps.start('server', LEGACY);
    const { legacy } = await shaken.ready();
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(5), encrypt('x'.repeat(16)).subarray(0, 16)]) {
      expect(await sendTo(legacy, bytes)).toHaveLength(0);
    }
    await shaken.logged('ERR_LEGACY_MALFORMED');
    await sendTo(legacy, encrypt('next'));
    await shaken.logged('Decrypted: next');
    expect(await shaken.stop()).toBe(0);
    expect(shaken.stderr).toBe('');
  });

  it('keeps the text out of the log with LOG_MESSAGES=false', async () => {
    const silent = await apps.start('server', { ...LEGACY, LOG_MESSAGES: 'false' });
    await sendTo((await silent.ready())['legacy'], encrypt('confidential'));
    await silent.logged('Decrypted: 12 bytes of text');
    expect(silent.describe()).not.toContain('confidential');
  });
});

describe("the two ports do not speak each other's wire", () => {
  it('the channel answers a legacy message with the alert, and hands nothing over [R9.2]', async () => {
    const { channel, legacy } = addresses;
    expect((await sendTo(channel, encrypt('wrong port'))).toString('hex')).toBe(ALERT);
    await server.logged('ERR_HANDSHAKE_MALFORMED');
    await sendTo(legacy, encrypt('right port'));
    await server.logged('Decrypted: right port');
    expect(server.describe()).not.toContain('wrong port');
  });

  it('the legacy wire has no answer to message 1 of the channel', async () => {
    const message1 = Buffer.concat([PREAMBLE_1, Buffer.alloc(104 - 1, 7)]); // one byte short: no whole blocks for sure
    expect(await sendTo(addresses['legacy'], message1)).toHaveLength(0);
    await server.logged('ERR_LEGACY_MALFORMED');
  });

  it('without LEGACY_PORT there is no legacy wire [R9.1]', async () => {
    const channelAlone = await apps.start('server');
    expect(await channelAlone.ready()).not.toHaveProperty('legacy');
  });
});

describe('the key of the legacy wire on the keyring of the channel', () => {
  it('closes the legacy wire, which the health endpoint shows, and the channel stays open', async () => {
    const keyFile = join(await apps.directory(), 'ring.json');
    const legacyKey = { bytes: key, key: SecretKey.fromBytes(key, 'The key', { label: 'legacy' }) };
    const own = generateKey();
    const first = { bytes: own, key: SecretKey.fromBytes(own, 'The key', { label: 'own' }), state: 'primary' as const };
    await writeFile(keyFile, formatKeyringFile([first]), { mode: 0o600 });
    const both = await apps.start('server', { ...LEGACY, SEALWIRE_KEY_FILE: keyFile });
    const { health, channel, legacy } = await both.ready();
    const check = async (): Promise<unknown> => (await fetch(health ?? '')).json();
    expect(await check()).toMatchObject({ status: 'ok', info: { channel: { status: 'up' } } });
    await writeFile(keyFile, formatKeyringFile([first, { ...legacyKey, state: 'accept' }]));
    both.signal('SIGHUP');
    expect((await both.logged('Closing the legacy wire')).level).toBe('error');
    const shown = { status: 'ok', info: { channel: { status: 'up', legacy: 'closed' } } };
    await expect.poll(check).toMatchObject(shown);
    await expect(sendTo(legacy, encrypt('too late'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect((await sendTo(channel, encrypt('open'))).toString('hex')).toBe(ALERT);
  });
});

describe('the server app does not start', () => {
  it('with one key for both, whether it is one file or a copy [R9.3]', async () => {
    expect(await refusal({ ...LEGACY, LEGACY_KEY_FILE: 'aes_key.bin' })).toMatch(/^LEGACY_KEY_FILE: .* of the channel/);
    expect(await refusal({ ...LEGACY, SEALWIRE_KEY_FILE: 'legacy_key.bin' })).toMatch(/^LEGACY_KEY_FILE: .*channel/);
  });

  it.each([
    [{ LEGACY_PORT: '9000' }, /^LEGACY_KEY_FILE must be /],
    [{ LEGACY_KEY_FILE: 'legacy_key.bin' }, /^LEGACY_PORT must be /],
    [{ ...LEGACY, LEGACY_KEY_FILE: 'missing.bin' }, /^LEGACY_KEY_FILE: No key file at /],
  ])('with only half of the settings, or without the key file: %j', async (env: Env, line) => {
    expect(await refusal(env)).toMatch(line);
  });

  it('on a port in use', async () => {
    const taken = addresses['legacy']?.split(':')[1] ?? '';
    expect(await refusal({ ...LEGACY, LEGACY_PORT: taken })).toBe(
      `LEGACY_PORT: 127.0.0.1:${taken} is in use; stop the program that listens there, or set another value`,
    );
  });

  it('with a key file of the wrong length; a world-readable classroom key is a warning', async () => {
    const path = join(await apps.directory(), 'classroom.bin');
    await writeFile(path, '0123456789abcdef0123456789abcde');
    expect(await refusal({ ...LEGACY, LEGACY_KEY_FILE: path })).toMatch(/^LEGACY_KEY_FILE: .*31 bytes/);
    await writeFile(path, '0123456789abcdef0123456789abcdef');
    await chmod(path, 0o644);
    const lax = await apps.start('server', { ...LEGACY, LEGACY_KEY_FILE: path });
    expect((await lax.logged('mode 0644')).level).toBe('warn');
    expect((await lax.logged('can be guessed')).level).toBe('warn');
  });
});
