import { expectEqual, expectTrue } from './checks.mjs';
import { START_TIMEOUT_MS } from './trial.mjs';

const STOP_TIMEOUT_MS = 20_000; // of a busy machine; that nothing was killed shows in the exit codes
const TEXT = 'Grüße, €5 {"text":1}';
const TEXT_BYTES = 24;

/** @typedef {import('./trial.mjs').Trial} Trial */

/**
 * @param {Trial} trial
 * @returns {Promise<{ keyId: string, took: string }>}
 */
export async function checkFirstAnswer(trial) {
  const { stack, checks } = trial;
  const startedAtMs = performance.now();
  await checks.need('both services start', async () => void (await trial.up()));
  const state = await stack.run(['ps', 'server']);
  let first = { keyId: '', took: '' };
  await checks.need('the first message is answered', async () => {
    const { text, bytes, keyId } = await trial.firstReceipt();
    first = { keyId, took: `${secondsSince(startedAtMs)} from up to the first answer` };
    expectEqual('receipt', { text, bytes }, { text: 'Hello Server!', bytes: 13 });
    expectTrue(`key id ${keyId}`, /^[0-9a-f]{16}$/.test(keyId));
    return first.took;
  });
  await checks.check('the client waits for a healthy server', async () =>
    expectTrue(state, state.includes('(healthy)')),
  );
  await checks.check('both services become healthy', () =>
    checks.until('not healthy', START_TIMEOUT_MS, async () => {
      const healthy = (await stack.run(['ps'])).match(/\(healthy\)/g);
      return healthy?.length === 2 ? '' : undefined;
    }),
  );
  return first;
}

/** @param {Trial} trial */
export async function checkMessages(trial, keyId) {
  const { checks } = trial;
  await checks.check('a text of its own is answered with a receipt', async () => {
    const { receivedAt: _receivedAt, ...receipt } = await trial.post('/messages', { text: TEXT });
    expectEqual('receipt', receipt, { text: TEXT, bytes: TEXT_BYTES, keyId });
  });
  await checks.check('an echo comes back as it was sent', async () => {
    const value = [1, 'two', { three: null }];
    expectEqual('echo', await trial.post('/send/echo', value), value);
  });
  await checks.check('a stream arrives whole', async () => {
    const query = encodeURIComponent(JSON.stringify({ from: 3, intervalMs: 1 }));
    const { status, text } = await trial.get(`/stream/countdown?data=${query}`);
    const values = [...text.matchAll(/^data: ?(\d+)$/gm)].map((match) => Number(match[1]));
    expectEqual('status and values', [status, ...values], [200, 3, 2, 1, 0]);
    expectTrue('no event "complete"', text.includes('event: complete'));
  });
}

/** @param {Trial} trial */
export async function checkLog(trial, keyId) {
  const { stack, checks } = trial;
  await checks.check('the server tells that it made the key', () =>
    trial.logged('server', new RegExp(`/keys/aes_key\\.bin was missing and has been made, key id ${keyId}`)),
  );
  await checks.check('the server shows in hex what it received', () =>
    trial.logged('server', /Received, encrypted \(82 bytes\): [0-9a-f]{128}…$/),
  );
  await checks.check('the server shows what it decrypted', async () => {
    await trial.logged('server', /Decrypted: Hello Server!$/);
    await trial.logged('server', /Decrypted: Grüße, €5 \{"text":1\}$/);
  });
  await checks.check('both logs tell the key id, and warn of nothing but the new key', async () => {
    const lines = [...(await stack.log('server')), ...(await stack.log('client'))];
    const keyIds = lines.flatMap((line) => /Ready .*keyId: '(\w+)'/.exec(line)?.[1] ?? []);
    expectEqual('key ids', keyIds, [keyId, keyId]);
    const warnings = lines
      .filter((line) => /\b(?:WARN|ERROR|FATAL)\b/.test(line))
      .filter((line) => !line.includes('has been made'));
    expectEqual('warnings', warnings, []);
  });
}

/** @param {Trial} trial */
export async function checkStop(trial, keyId) {
  const { stack, checks } = trial;
  await checks.check('messages are answered again after a restart of the server', async () => {
    await stack.run(['restart', 'server'], START_TIMEOUT_MS);
    expectEqual('key id', (await trial.firstReceipt()).keyId, keyId);
  });
  await checks.check('both services stop by themselves, with exit code 0', async () => {
    const startedAtMs = performance.now();
    await stack.run(['stop']);
    const tookMs = performance.now() - startedAtMs;
    const state = await stack.run(['ps', '-a']);
    expectTrue(state, state.match(/Exit(?:ed)? \(?0\b/g)?.length === 2);
    expectTrue(`it took ${secondsSince(startedAtMs)}`, tookMs < STOP_TIMEOUT_MS);
  });
}

function secondsSince(ms) {
  return `${((performance.now() - ms) / 1000).toFixed(1)} s`;
}
