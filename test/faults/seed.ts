// The run of one seed as `npm run faults` does it: a seed with processes starts some.
import { ProcessServers } from './servers/process-servers.js';
import { runScenario } from './run.js';
import { drawScenario } from './scenario.js';
import { summarize } from './summary.js';
import type { Summary } from './summary.js';

/** Runs a seed. Rejects if the run itself fails. */
export async function runSeed(seed: number): Promise<Summary> {
  const scenario = drawScenario(seed);
  if (!scenario.hasProcesses) return summarize(scenario, await runScenario(scenario));
  const processes = new ProcessServers();
  try {
    return summarize(scenario, await runScenario(scenario, { startProcess: processes.start }));
  } finally {
    processes.end();
  }
}
