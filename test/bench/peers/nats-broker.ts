import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

import type { Usage } from '../measure.js';
import type { Broker } from '../peer.js';
import { HOST } from './nest.js';

const PROGRAM = 'nats-server';
// Debian's folder for daemons, which is not in every user's PATH.
const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
const START_DEADLINE_MS = 30_000;
/** Of `/proc/PID/stat`: USER_HZ, which is 100 on every architecture that Node supports. */
const MICROS_PER_TICK = 10_000;

/** Returns what the peers of NATS need if it is not here. */
export function missingNats(): string | undefined {
  return FOLDERS.some((folder) => isProgram(join(folder, PROGRAM)))
    ? undefined
    : `${PROGRAM} (apt-get install nats-server)`;
}

/** Starts a NATS server on a free port. */
export async function startNats(): Promise<Broker> {
  const env = { ...process.env, PATH: FOLDERS.join(delimiter) };
  const child = spawn(PROGRAM, ['--addr', HOST, '--port', '-1'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const killAtExit = (): void => void child.kill('SIGKILL');
  process.once('exit', killAtExit);
  return {
    port: await listeningPort(child),
    usage: () => usageOf(child),
    close: () => {
      process.removeListener('exit', killAtExit);
      child.kill('SIGKILL');
    },
  };
}

/** Resolves to the port that its log names. */
function listeningPort(child: ChildProcess & { readonly stderr: NodeJS.ReadableStream }): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(new Error(`${PROGRAM} has not started`));
    child.once('error', reject).once('exit', fail);
    AbortSignal.timeout(START_DEADLINE_MS).addEventListener('abort', fail);
    createInterface(child.stderr).on('line', (line) => {
      const port = /client connections on .*:(\d+)$/.exec(line)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });
}

/** Reads what a process has used from the files of Linux; zero elsewhere. */
function usageOf({ pid }: ChildProcess): Usage {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // from the third one on
    const ticks = Number(fields[11]) + Number(fields[12]); // utime, stime
    const peakKiB = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
    return { cpuMicros: ticks * MICROS_PER_TICK, peakMemoryMiB: peakKiB / 1024 };
  } catch {
    return { cpuMicros: 0, peakMemoryMiB: 0 };
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
