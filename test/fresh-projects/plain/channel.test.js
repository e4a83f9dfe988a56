import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { createKeyFile } from '@sealwire/crypto';
import { readExamples } from './readme.js';

const cwd = 'channel-example';
const run = promisify(execFile);

void test('the client and the server of @sealwire/channel exchange a request and an event', async () => {
  const examples = await readExamples('channel');
  for (const example of examples) assert.ok(example.trimEnd().split('\n').length <= 20);
  const [server, client, ...others] = examples;
  assert.deepEqual(others, []);
  await mkdir(cwd);
  await createKeyFile(`${cwd}/aes_key.bin`);
  const onAnyPort = server.replace('port: 4000', 'port: 0');
  await writeFile(`${cwd}/server.js`, `${onAnyPort}console.log(server.server.address().port);\n`);

  const serving = spawn(process.execPath, ['server.js'], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(serving, 'exit');
  const lines = createInterface(serving.stdout)[Symbol.asyncIterator]();
  try {
    const { value: port } = await lines.next();
    await writeFile(`${cwd}/client.js`, client.replace('port: 4000', `port: ${port}`));
    const { stdout } = await run(process.execPath, ['client.js'], { cwd });
    assert.equal(stdout, 'Hello world!\n');
    assert.match((await lines.next()).value, /^REQUEST hello from 127\.0\.0\.1:\d+: world$/);
    assert.match((await lines.next()).value, /^EVENT noted from 127\.0\.0\.1:\d+: an event$/);
  } finally {
    serving.kill('SIGTERM');
  }
  assert.deepEqual(await exited, [0, null]);
});
