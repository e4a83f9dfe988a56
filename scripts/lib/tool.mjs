import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top folder of the repository. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Runs a tool to its end without showing what it prints.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {AbortSignal} stop - Ends the tool and rejects.
 * @param {string} cwd - The folder that it runs in. Default: the top of the repository.
 * @param {NodeJS.ProcessEnv} env - The environment of the tool. Default: that of this process.
 * @returns {Promise<{ code: number | null, output: string }>}
 */
export function runTool(command, args, stop, cwd = ROOT, env = process.env) {
  return new Promise((resolve, reject) => {
    // npm is a .cmd file on Windows, which only a shell can run. No argument here comes from outside.
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: stop,
      shell: command === 'npm' && process.platform === 'win32',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

/**
 * Hands the terminal over to a tool.
 *
 * @param {readonly string[]} args - for Node
 * @param {AbortSignal} stop
 * @returns {Promise<number>} The exit code.
 */
export function runInForeground(args, stop) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
    const forward = () => child.kill(stop.reason.message);
    stop.addEventListener('abort', forward);
    process.once('exit', () => child.kill('SIGKILL'));
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
    if (stop.aborted) forward();
  });
}
