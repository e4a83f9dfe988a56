import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { NOTHING } from './summary.js';
import type { Summary } from './summary.js';
import type { WorkerReport } from './worker.js';

const WORKER_FILE = fileURLToPath(new URL('worker.js', import.meta.url));
/** A run that is not over by then hangs. */
const HANG_MS = 180_000;
/** Code that is compiled late, and tables that grow once. */
const WARM_UP_SEEDS = 5;
const MAX_GROWTH_BYTES = 16 * 1024 * 1024;

/** Runs seeds in a process of its own, which is replaced after a crash or a hang. */
export class SeedWorker {
  #child: ChildProcess | undefined;
  #memory: number[] = [];

  async run(seed: number): Promise<Summary> {
    const child = (this.#child ??= fork(WORKER_FILE, { execArgv: [...process.execArgv, '--expose-gc'] }));
    const outcome = await reportOf(child, seed);
    if (typeof outcome === 'string') {
      child.kill('SIGKILL');
      this.#child = undefined;
      this.#memory = [];
      return { ...NOTHING, seeds: 1, findings: [{ seed, what: outcome }] };
    }
    const growth = this.#growth(outcome.memoryBytes);
    if (growth < MAX_GROWTH_BYTES) return outcome.summary;
    const what = `the memory of ${this.#memory.length} seeds grew by ${growth} bytes after garbage collections`;
    this.#memory = [];
    return { ...outcome.summary, findings: [...outcome.summary.findings, { seed, what }] };
  }

  end(): void {
    this.#child?.disconnect();
  }

  /** The growth of the least of the last seeds over the least of the first ones. */
  #growth(memoryBytes: number): number {
    this.#memory.push(memoryBytes);
    if (this.#memory.length < 3 * WARM_UP_SEEDS) return 0;
    return (
      Math.min(...this.#memory.slice(-WARM_UP_SEEDS)) -
      Math.min(...this.#memory.slice(WARM_UP_SEEDS, 2 * WARM_UP_SEEDS))
    );
  }
}

/** Resolves with a text if there is no report. */
function reportOf(child: ChildProcess, seed: number): Promise<WorkerReport | string> {
  return new Promise((resolve) => {
    const settle = (outcome: WorkerReport | string): void => {
      clearTimeout(timer);
      child.off('message', onMessage).off('exit', onExit);
      resolve(outcome);
    };
    const onMessage = (report: WorkerReport): void => settle(report);
    const onExit = (code: number | null, signal: string | null): void => settle(`the run ended with ${signal ?? code}`);
    const timer = setTimeout(() => settle(`the run did not end within ${HANG_MS} ms`), HANG_MS);
    child.on('message', onMessage).on('exit', onExit);
    child.send(seed);
  });
}
