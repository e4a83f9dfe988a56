import { once } from 'node:events';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { createKeyFile } from '@sealwire/crypto';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';

import { AppProcesses } from '../../support/app-process.js';
import type { Env } from '../../support/app-process.js';
import { startFailure } from './app-here.js';
import { startClientHere } from '../../e2e/apps/trigger-app.js';

const apps = new AppProcesses();

afterEach(() => apps.end());

/** The one line that an app ends with. */
async function refusal(app: 'server' | 'client', env: Env): Promise<string> {
  const started = await apps.start(app, env);
  expect(await started.exit(), started.describe()).toBe(1);
  expect(started.log).toEqual([]);
  expect(started.stderr).toMatch(/^[^\n]+\n$/);
  return started.stderr.trim();
}

/** The same in this process: for what is said, where how the app ends is shown by another case. */
async function failure(app: 'server' | 'client', env: Env): Promise<string | undefined> {
  return startFailure(app, await apps.directory(), env);
}

async function takenPort(): Promise<string> {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  return String((other.address() as AddressInfo).port);
}

const keyFile = async (name = 'aes_key.bin'): Promise<string> => join(await apps.directory(), name);

describe('an app that cannot start ends with exit code 1 and one line', () => {
  it.each([
    ['server', 'SEALWIRE_PORT', '70000', 'a whole number from 0 to 65535'],
    ['server', 'LOG_FORMAT', 'xml', 'pretty or json'],
    ['client', 'HTTP_PORT', 'http', 'a whole number from 0 to 65535'],
    ['client', 'HTTP_ALLOWED_HOSTS', '*', 'a comma-separated list of host names'],
    ['client', 'SEALWIRE_SERVERS', 'server', 'a comma-separated list of at most 64 host:port entries'],
  ] as const)('that names the setting: %s %s=%s', async (app, name, value, accepted) => {
    const line = await refusal(app, { [name]: value });
    expect(line).toMatch(new RegExp(`^${name} must be ${accepted}`));
    expect(line).toContain(
      /^\d+$/.test(value) ? `not ${value}` : `its value (length ${value.length}, not shown) is wrong`,
    );
  });

  it('that names the setting of the file .env', async () => {
    await writeFile(await keyFile('.env'), 'SEALWIRE_KEY_POLICY=loose\n');
    expect(await refusal('client', {})).toMatch(/^SEALWIRE_KEY_POLICY must be strict or mounted-secret/);
  });

  it.each(['server', 'client'] as const)('that names the setting before Nest is loaded: %s', async (app) => {
    const program = "process.on('exit',()=>{if('defineMetadata'in(Reflect))process.exitCode=2})"; // as reflect-metadata does
    const env = { NODE_OPTIONS: `--import data:text/javascript,${program}`, LOG_FORMAT: 'xml' };
    expect(await refusal(app, env)).toMatch(/^LOG_FORMAT must be /);
  });

  it('that reports an unreadable .env', async () => {
    await mkdir(await keyFile('.env'));
    expect(await refusal('server', {})).toMatch(
      /^\.env in the working directory cannot be read \(.*\): correct or remove it/,
    );
  });

  it('that describes how to create the key that the client does not have', async () => {
    const path = await keyFile();
    const line = await refusal('client', {});
    expect(line).toMatch(/^SEALWIRE_KEY_FILE: No key file at /);
    expect(line).toContain(path);
    expect(line).toContain('npm run keys -- keygen FILE');
  });

  it.each(['server', 'client'] as const)('that describes the fault of the key file: %s', async (app) => {
    await writeFile(await keyFile('short.bin'), 'short', { mode: 0o600 });
    expect(await failure(app, { SEALWIRE_KEY_FILE: 'short.bin' })).toMatch(/^SEALWIRE_KEY_FILE: .*5 bytes/);
    await createKeyFile(await keyFile('open.bin'));
    await chmod(await keyFile('open.bin'), 0o644);
    expect(await failure(app, { SEALWIRE_KEY_FILE: 'open.bin' })).toMatch(/^SEALWIRE_KEY_FILE: .*chmod 600/);
  });

  it('that names the place where the server cannot create a key', async () => {
    const line = await failure('server', { SEALWIRE_KEY_FILE: join('missing', 'key.bin') });
    expect(line).toMatch(/^SEALWIRE_KEY_FILE: Cannot create key file /);
  });

  it.each([
    ['server', 'SEALWIRE_PORT'],
    ['server', 'HEALTH_PORT'],
    ['client', 'HTTP_PORT'],
  ] as const)('that names the port in use: %s %s', async (app, name) => {
    await createKeyFile(await keyFile());
    const port = await takenPort();
    // The process of a server that has begun to listen ends as well.
    const refuse = name === 'HEALTH_PORT' ? refusal : failure;
    expect(await refuse(app, { [name]: port })).toBe(
      `${name}: 127.0.0.1:${port} is in use; stop the program that listens there, or set another value`,
    );
  });

  it.each([
    ['server', 'SEALWIRE_HOST'],
    ['server', 'HEALTH_HOST'],
    ['client', 'HTTP_HOST'],
  ] as const)('that names the address that does not belong to this machine: %s %s', async (app, name) => {
    await createKeyFile(await keyFile());
    expect(await failure(app, { [name]: '192.0.2.1' })).toMatch(
      new RegExp(`^${name}: .* 192\\.0\\.2\\.1:0 .*is not an address of this machine`),
    );
  });

  it('that names the socket with a missing directory', async () => {
    const path = join(await apps.directory(), 'missing', 's.sock');
    expect(await failure('server', { SEALWIRE_PATH: path })).toMatch(
      /^SEALWIRE_PATH: .* the directory of the Unix socket does not exist/,
    );
  });

  it.each([
    ['under a file', join('file', 's.sock'), 'ENOTDIR'],
    ['after a loop of links', join('loop', 's.sock'), 'ELOOP'],
    ['blank', ' ', 'ERR_INVALID_ARG_VALUE'],
  ])('that names the socket that cannot be created, and the reason: %s', async (_, path, code) => {
    await writeFile(await keyFile('file'), '');
    await symlink('loop', await keyFile('loop'));
    expect(await failure('server', { SEALWIRE_PATH: path })).toBe(
      `SEALWIRE_PATH: this app cannot listen on ${path} (${code}); set another value`,
    );
  });
});

describe('the settings', () => {
  it('may be in a file .env', async () => {
    await writeFile(await keyFile('.env'), 'SEALWIRE_SERVICE=from-a-file\n');
    const server = await apps.start('server');
    expect((await server.ready())['service']).toBe('from-a-file');
  });

  it('accept a mounted secret under its policy only', async () => {
    await createKeyFile(await keyFile());
    await chmod(await keyFile(), 0o444);
    expect(await failure('client', {})).toMatch(/^SEALWIRE_KEY_FILE: /);
    const { app } = await startClientHere({
      SEALWIRE_KEY_FILE: await keyFile(),
      SEALWIRE_KEY_POLICY: 'mounted-secret',
      SEALWIRE_PORT: '1',
    });
    await app.close();
  });

  it('warn of an open address without allowed hosts, and of one without a token', async () => {
    await createKeyFile(await keyFile());
    const client = await apps.start('client', { HTTP_HOST: '0.0.0.0' });
    for (const setting of ['HTTP_ALLOWED_HOSTS', 'HTTP_TOKEN']) {
      expect(await client.logged(setting)).toMatchObject({ level: 'warn' });
    }
    const careful = { HTTP_HOST: '0.0.0.0', HTTP_ALLOWED_HOSTS: 'localhost', HTTP_TOKEN: 'secret' };
    const named = await apps.start('client', careful);
    await named.ready();
    await named.stop();
    expect(named.log.filter(({ message }) => message.includes('HTTP_HOST'))).toEqual([]);
    expect(named.describe()).not.toContain('secret');
  });

  it('listen on the loopback address by default, without a warning', async () => {
    await createKeyFile(await keyFile());
    const client = await apps.start('client');
    expect((await client.ready())['trigger']).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await client.stop();
    expect(client.log.filter(({ message }) => message.includes('HTTP_HOST'))).toEqual([]);
  });
});
