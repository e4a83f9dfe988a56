import { Worker } from 'node:worker_threads';
import { inputOf } from './run.js';
import type { Budget, Finding, Result } from './run.js';
import type { Target } from './target.js';

/** An input that is not over by then hangs. */
const HANG_MS = 10_000;
const LOOK_MS = 1000;
const MAX_HEAP_MIB = 512;

/** Runs one target in a thread of its own. A crash, a hang and a heap that overflows are findings as well. */
export function watchTarget(target: Target, budget: Budget, onProgress: (inputs: number) => void): Promise<Result> {
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('worker.js', import.meta.url), {
    workerData: { target: target.name, budget, progress },
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
  });
  return new Promise((resolve) => {
    const end = (result: Result): void => {
      clearInterval(watching);
      void worker.terminate();
      resolve(result);
    };
    const fail = (what: string): void => end(failed(target, budget, Atomics.load(progress, 0), what));
    const watching = watchProgress(progress, (at) => onProgress(at - budget.from), fail);
    worker.once('message', end);
    worker.once('error', (error) => fail(error instanceof Error ? (error.stack ?? error.message) : String(error)));
    worker.once('exit', (code) => fail(`the thread ended with ${code}`));
  });
}

function watchProgress(
  progress: Int32Array,
  onProgress: (at: number) => void,
  fail: (what: string) => void,
): NodeJS.Timeout {
  let last = -1;
  let sinceMs = performance.now();
  return setInterval(() => {
    const at = Atomics.load(progress, 0);
    onProgress(at);
    if (at !== last) [last, sinceMs] = [at, performance.now()];
    else if (performance.now() - sinceMs > HANG_MS) fail('it hangs');
  }, LOOK_MS);
}

function failed(target: Target, { seed, from }: Budget, at: number, what: string): Result {
  const hex = inputOf(target, seed, at).toString('hex');
  const finding: Finding = { target: target.name, seed, at, hex, what };
  return { target: target.name, inputs: at - from, ms: 0, outcomes: new Map(), memoryBytes: [0, 0], finding };
}
