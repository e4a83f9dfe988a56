// The thread that a target runs in: whoever started it watches from outside, for an endless loop cannot watch itself.
import { parentPort, workerData } from 'node:worker_threads';
import { runTarget } from './run.js';
import type { Budget } from './run.js';
import { TARGETS } from './targets/index.js';

export interface Order {
  readonly target: string;
  readonly budget: Budget;
  /** One number: the input that runs. */
  readonly progress: Int32Array;
}

const { target: name, budget, progress } = workerData as Order;
const target = TARGETS.find((candidate) => candidate.name === name);
if (target === undefined) throw new TypeError(`There is no target ${name}`);
parentPort?.postMessage(
  await runTarget(target, budget, (at) => {
    Atomics.store(progress, 0, at);
  }),
);
