// A process of its own for some seeds, one after the other. Started by SeedWorker.
import { memoryBytes } from './memory.js';
import { runSeed } from './seed.js';
import type { Summary } from './summary.js';

export interface WorkerReport {
  readonly summary: Summary;
  /** The memory in use after a garbage collection. */
  readonly memoryBytes: number;
}

async function run(seed: number): Promise<void> {
  const summary = await runSeed(seed);
  const report: WorkerReport = { summary, memoryBytes: await memoryBytes() };
  process.send?.(report);
}

process.on('disconnect', () => process.exit());
process.on('message', (seed: number) => void run(seed));
