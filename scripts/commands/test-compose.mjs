import { createServer } from 'node:net';
import { checkStack } from '../lib/compose/check-stack.mjs';
import { Checks } from '../lib/compose/checks.mjs';
import { findCompose, Stack } from '../lib/compose/stack.mjs';

/**
 * `npm run test:compose`: the stack of docker-compose.yml on a real engine. Whatever it made is removed at the end.
 *
 * @param {AbortSignal} stop
 */
export async function command(stop) {
  const stack = new Stack(await findCompose(stop), await freePort(), stop);
  const checks = new Checks(stop);
  let firstAnswer = 'no answer';
  try {
    firstAnswer = await checkStack(stack, checks, stop);
  } catch (error) {
    stop.throwIfAborted();
    await checks.check('the rest is checked', () => Promise.reject(error));
    await printLogs(stack);
  } finally {
    if (stop.aborted) console.error('Stopped: removing what was started …');
    await checks.check('everything is removed again', () => stack.remove());
  }
  const seconds = process.uptime().toFixed(0);
  console.log(`${checks.passed} passed, ${checks.failed} failed: ${firstAnswer}, ${seconds} s in all`);
  return checks.failed === 0 ? 0 : 1;
}

/** A port that is free on every address of this host. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function printLogs(stack) {
  const { stdout } = await stack.attempt(['logs', '--no-color', '--tail', '40']);
  console.error(stdout);
}
