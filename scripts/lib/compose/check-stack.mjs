import { checkConfinement } from './confinement.mjs';
import { checkKeyLife, checkOtherKeys } from './keys.mjs';
import { checkFirstAnswer, checkLog, checkMessages, checkStop } from './pair.mjs';
import { checkPublishing } from './publishing.mjs';
import { Trial } from './trial.mjs';

const BUILD_TIMEOUT_MS = 240_000;

/**
 * Everything that the stack promises, one promise a check.
 *
 * @param {import('./stack.mjs').Stack} stack
 * @param {import('./checks.mjs').Checks} checks
 * @param {AbortSignal} stop
 * @returns {Promise<string>} how long the first answer took
 */
export async function checkStack(stack, checks, stop) {
  const trial = new Trial(stack, checks, stop);
  await checks.need('the image builds', async () => void (await stack.run(['build'], BUILD_TIMEOUT_MS)));
  const { keyId, took } = await checkFirstAnswer(trial);
  await checkMessages(trial, keyId);
  await checkLog(trial, keyId);
  await checkConfinement(trial, 'server', 'written');
  await checkConfinement(trial, 'client', 'EROFS');
  await checkPublishing(trial);
  await checkOtherKeys(trial);
  await checkStop(trial, keyId);
  await checkKeyLife(trial, keyId);
  return took;
}
