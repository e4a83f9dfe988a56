import { oneLine } from './failure.mjs';
import { asksForHelp, formatUsage, parseInput } from './usage.mjs';
import { USAGES } from './usages.mjs';

const EXIT_CODE_OF = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/**
 * Runs the command `name` with the arguments of this process and a signal that aborts on the first SIGINT, SIGTERM or
 * SIGHUP, and ends this process with its exit code.
 *
 * @param {string} name
 */
export async function runCommand(name) {
  process.exit(await exitCodeOf(name, listenForStop()));
}

/**
 * Runs a command and returns its exit code. A failure is one line and exit code 1, never a stack trace.
 *
 * @param {string} name - The name of its file in commands/, or of a program in `USAGES`.
 * @param {AbortSignal} stop
 */
export async function exitCodeOf(name, stop) {
  try {
    const usage = USAGES[name];
    const args = process.argv.slice(2);
    if (usage.help !== 'own' && asksForHelp(args)) {
      console.log(formatUsage(usage));
      return 0;
    }
    const input = usage.options === undefined ? undefined : parseInput(usage, args);
    const { command } = await import(`../commands/${usage.program === undefined ? name : 'program'}.mjs`);
    return await command(stop, { ...input, program: usage.program });
  } catch (error) {
    if (stop.aborted) return EXIT_CODE_OF[stop.reason.message] ?? 1;
    console.error(oneLine(error.message));
    return 1;
  }
}

// Ctrl-C reaches this process twice: from the terminal and once more through npm. Only one that comes later is impatience.
const IMPATIENT_AFTER_MS = 1000;

function listenForStop() {
  const controller = new AbortController();
  let stoppedAt = 0;
  const stop = (signal) => {
    if (!controller.signal.aborted) {
      stoppedAt = Date.now();
      controller.abort(new Error(signal));
    } else if (Date.now() - stoppedAt > IMPATIENT_AFTER_MS) {
      process.exit(EXIT_CODE_OF[signal]);
    }
  };
  for (const signal of Object.keys(EXIT_CODE_OF)) process.on(signal, () => stop(signal));
  if (process.env.npm_lifecycle_event !== undefined) onceAlone(() => stop('SIGTERM'));
  return controller.signal;
}

const PARENT_INTERVAL_MS = 200;

/**
 * Calls back when the shell in which npm runs this has ended, because a signal to npm alone ends that shell, which does
 * not pass the signal on.
 */
function onceAlone(callback) {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    callback();
  }, PARENT_INTERVAL_MS);
  watch.unref();
}
