import { spawn } from 'node:child_process';
import { ROOT } from '../tool.mjs';

const KILL_AFTER_MS = 5000;

/**
 * Runs a command to its end, in a process group of its own: Ctrl-C comes through `stop` alone, and ends whatever the
 * command has started as well. A command that cannot be started, or does not end in time, has the exit code null.
 *
 * @param {readonly string[]} commandLine
 * @param {NodeJS.ProcessEnv} env
 * @param {number} timeoutMs
 * @param {AbortSignal} stop - Ends the command and rejects.
 * @returns {Promise<{ code: number | null, stdout: string, stderr: string }>}
 */
export async function runGroup([command, ...args], env, timeoutMs, stop) {
  stop.throwIfAborted();
  const late = AbortSignal.timeout(timeoutMs);
  const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'], detached: HAS_GROUPS });
  const ended = endOf(child);
  const kill = () => signalGroup(child, 'SIGKILL');
  let killing;
  const terminate = () => {
    signalGroup(child, 'SIGTERM');
    killing ??= setTimeout(kill, KILL_AFTER_MS);
  };
  for (const reason of [stop, late]) reason.addEventListener('abort', terminate, { once: true });
  process.once('exit', kill);
  try {
    const { code, stdout, stderr } = await ended;
    stop.throwIfAborted();
    return late.aborted
      ? { code: null, stdout, stderr: `no end after ${timeoutMs / 1000} s` }
      : { code, stdout, stderr };
  } finally {
    clearTimeout(killing);
    for (const reason of [stop, late]) reason.removeEventListener('abort', terminate);
    process.off('exit', kill);
  }
}

const HAS_GROUPS = process.platform !== 'win32';

function endOf(child) {
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'])
    child[name].setEncoding('utf8').on('data', (text) => (printed[name] += text));
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, stdout: '', stderr: error.message }));
    child.once('close', (code) => resolve({ code, ...printed }));
  });
}

function signalGroup(child, signal) {
  if (child.pid === undefined) return;
  try {
    process.kill(HAS_GROUPS ? -child.pid : child.pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error; // it ended just now
  }
}
