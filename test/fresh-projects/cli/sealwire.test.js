import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { createChannelServer } from '@sealwire/channel';

const run = promisify(execFile);

/** Returns what the installed command prints. It rejects unless the exit code is 0. */
async function sealwire(...args) {
  const { stdout, stderr } = await run('node_modules/.bin/sealwire', args);
  assert.equal(stderr, '');
  return stdout;
}

let server;

before(async () => {
  await sealwire('keygen', 'aes_key.bin');
  server = createChannelServer({ port: 0, keyFile: 'aes_key.bin' }, ({ body }) => Promise.resolve(body));
  await server.listen();
});

after(() => server.close());

void test('no package of Nest and no RxJS is installed', () => {
  for (const name of ['@nestjs', 'rxjs']) assert.equal(existsSync(`node_modules/${name}`), false);
});

void test('sealwire describes itself', async () => {
  assert.match(await sealwire('--help'), /keygen/);
  assert.match(await sealwire('--version'), /^\d+\.\d+\.\d+\n$/);
});

void test('sealwire changes keyrings', async () => {
  await sealwire('keygen', 'ring.json', '--ring');
  await sealwire('keyring', 'install', 'ring.json', '--label', 'next');
  await sealwire('keyring', 'use', 'ring.json', 'next', '--yes');
  assert.match(await sealwire('keyring', 'verify', 'ring.json'), /a keyring of 2 keys/);
});

void test('sealwire reaches a server', async () => {
  const at = `127.0.0.1:${server.server.address().port}`;
  assert.match(await sealwire('ping', at, '--key', 'aes_key.bin'), /127\.0\.0\.1/);
  await assert.rejects(sealwire('send', at, 'echo', '[1]', '--key', 'aes_key.bin'), {
    code: 1,
    stderr: /without Nest takes raw bytes/,
  });
});
