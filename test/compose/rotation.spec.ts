// The commands of "Rotating the key with Compose" in docs/operations.md, as they are written there, while messages are sent.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compose, firstReceipt, Messages, readLog, send, up, type Receipt } from './stack.js';

const BUILD_TIMEOUT_MS = 240_000;
const STEP_TIMEOUT_MS = 240_000;
const AT_ONCE = 1; // more would only make the log longer
const POLL = { timeout: 60_000, interval: 500 };

const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const [, section = ''] = text.split('### Rotating the key with Compose\n');
const [chapter = ''] = section.split(/^##/m);
const [define = '', ...steps] = [...chapter.matchAll(/```sh\n(.*?)```/gs)].map(([, script = '']) => script);
const [sealwire = '', ...convert] = define.split('\n');

beforeAll(async () => {
  await compose(['build'], BUILD_TIMEOUT_MS);
  await up();
  await firstReceipt();
});

afterAll(() => compose(['down', '-v']));

/** Runs commands of the recipe. Its `docker compose` is the Compose command and the project of this test. */
function run(script: string): Promise<string> {
  const command = JSON.parse(process.env['COMPOSE'] ?? '[]') as readonly string[];
  const prelude = `docker() { shift; "\${COMPOSE_COMMAND[@]}" "$@"; }; ${sealwire}`;
  const words = command.map((word) => `'${word}'`).join(' ');
  return new Promise((resolve, reject) => {
    const args = ['-euo', 'pipefail', '-c', `COMPOSE_COMMAND=(${words}); ${prelude}\n${script}`];
    execFile('bash', args, { timeout: STEP_TIMEOUT_MS }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${script} failed: ${stderr}${stdout}`, { cause: error }));
    });
  });
}

/** Waits until both containers have loaded a ring. */
async function untilLoaded(what: RegExp): Promise<void> {
  for (const service of ['server', 'client']) {
    const last = async (): Promise<string | undefined> =>
      (await readLog(service)).findLast((line) => line.includes('Loaded keyring /keys/aes_key.bin'));
    await expect.poll(last, POLL).toMatch(what);
  }
}

it('rotates the key of the running stack without a failed message', async () => {
  const { keyId: first } = await firstReceipt();
  const messages = new Messages(AT_ONCE);
  await run(convert.join('\n'));
  await untilLoaded(new RegExp(`1 key, primary ${first}`));
  const [install = '', use = '', remove = ''] = steps;
  await run(install);
  await untilLoaded(new RegExp(`2 keys, primary ${first}`));
  await run(use);
  await untilLoaded(/2 keys, primary/);
  const { keyId: second } = await moved(first);
  await run(remove);
  await untilLoaded(new RegExp(`1 key, primary ${second}`));
  await messages.stop();
  console.log(`${messages.receipts.length} messages during the rotation, ${messages.failures.length} failed`);
  expect(messages.failures).toEqual([]);
  expect(new Set(messages.receipts.map(({ keyId }) => keyId))).toEqual(new Set([first, second]));
});

it('revokes a key of the running stack', async () => {
  const [install = '', use = ''] = steps;
  const { keyId: second } = await firstReceipt();
  const [revoke = ''] = /sealwire keyring revoke [^`]*/.exec(chapter) ?? [];
  await run(install.replace('second', 'third'));
  await untilLoaded(/2 keys/);
  await run(use.replace('second', 'third'));
  const { keyId: third } = await moved(second);
  await run(revoke.replace('first', 'second'));
  await untilLoaded(new RegExp(`1 usable key of 2, primary ${third}`));
  expect(await firstReceipt()).toMatchObject({ keyId: third });
});

/** Returns the first receipt of a connection with another key. */
async function moved(before: string): Promise<Receipt> {
  let receipt = await firstReceipt();
  const keyId = async (): Promise<string> => {
    receipt = (await send('/messages')) as Receipt;
    return receipt.keyId;
  };
  await expect.poll(keyId, POLL).not.toBe(before);
  return receipt;
}
