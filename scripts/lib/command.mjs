import { parseArgs } from 'node:util';

/** Something that whoever runs the command can put right. Its message says what is wrong and what to do. */
export class Failure extends Error {
  name = 'Failure';
}

const EXIT_CODE_OF = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/**
 * Runs `command` with a signal that aborts on the first SIGINT, SIGTERM or SIGHUP, and ends this process with its exit
 * code.
 *
 * @param {(stop: AbortSignal) => Promise<number>} command
 */
export async function runCommand(command) {
  process.exit(await exitCodeOf(command, listenForStop()));
}

/**
 * What `command` returns; a failure is one line and exit code 1, never a stack trace.
 *
 * @param {(stop: AbortSignal) => Promise<number>} command
 * @param {AbortSignal} stop
 */
export async function exitCodeOf(command, stop) {
  try {
    return await command(stop);
  } catch (error) {
    if (stop.aborted) return EXIT_CODE_OF[stop.reason.message] ?? 1;
    console.error(oneLine(error.message));
    return 1;
  }
}

/** `parseArgs` of Node, with a failure that ends with `hint`: where the right options are. */
export function parseOptions(options, hint) {
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    throw new Failure(`${error.message.split('. ')[0]}${hint}`);
  }
}

/** @param {string} text */
export function oneLine(text) {
  return text.replaceAll(/\s*\n\s*/g, ' ').trim();
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

/** npm runs this in a shell. A signal to npm alone ends that shell, which does not pass it on. */
function onceAlone(callback) {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    callback();
  }, PARENT_INTERVAL_MS);
  watch.unref();
}
