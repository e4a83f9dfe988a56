import { reportOutcome } from './outcome.mjs';
import { Progress } from './progress.mjs';
import { runTool } from './tool.mjs';

/** The line that npm prints about a package that its registry does not have. */
const NOT_IN_REGISTRY = /^npm error code (E404|ETARGET)$/m;
const LIMIT_MS = 300_000;

/**
 * @typedef {object} Step
 * @property {string} title
 * @property {readonly string[]} command - The program and its arguments.
 * @property {string} cwd
 * @property {() => Promise<void>} [before] - Prepares the step.
 * @property {boolean} [isFetch] - Whether it only gets a tool from npm: it is skipped if npm does not have that tool.
 */

/**
 * Runs steps one after the other, and prints each with its outcome. The steps after one that has not succeeded are skipped.
 *
 * @param {string} name - The project of the steps.
 * @param {readonly Step[]} steps
 * @param {{ stop: AbortSignal, env?: NodeJS.ProcessEnv, limitMs?: number }} how - The limit of each step.
 * @returns {Promise<readonly ('ok' | 'failed' | 'skipped')[]>} The outcomes of the steps.
 */
export async function runSteps(name, steps, { stop, env, limitMs = LIMIT_MS }) {
  const progress = new Progress();
  const results = [];
  const observed = (step) => {
    progress.show(`${name}: ${step.title} …`);
    return take(step, { stop, env, limitMs }).finally(() => progress.clear());
  };
  for (const step of steps) {
    const what = `${name}: ${step.title}`;
    const startMs = performance.now();
    const result = skippedAfter(results.at(-1)) ?? (await observed(step));
    reportOutcome(what, result, startMs);
    results.push(result);
  }
  return results.map(({ outcome }) => outcome);
}

function skippedAfter(previous) {
  switch (previous?.outcome) {
    case 'failed':
      return { outcome: 'skipped', reason: 'an earlier step has failed' };
    case 'skipped':
      return previous;
    default:
      return undefined;
  }
}

async function take({ command: [program, ...args], cwd, before, isFetch = false }, { stop, env, limitMs }) {
  const limit = AbortSignal.timeout(limitMs);
  try {
    await before?.();
    const { code, output } = await runTool(program, args, AbortSignal.any([stop, limit]), cwd, env);
    if (code === 0) return { outcome: 'ok' };
    const missing = isFetch ? NOT_IN_REGISTRY.exec(output)?.[1] : undefined;
    return missing === undefined
      ? { outcome: 'failed', output }
      : { outcome: 'skipped', reason: `npm does not have the tool: ${missing}` };
  } catch (error) {
    stop.throwIfAborted();
    return {
      outcome: 'failed',
      output: limit.aborted ? `The step did not end within ${limitMs / 1000} s.` : error.message,
    };
  }
}
