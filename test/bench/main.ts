import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { PEERS, SUBJECT } from './peers/index.js';
import { reportPeer, reportRatios } from './report.js';
import { runRounds, type Plan } from './rounds.js';
import { makeSecrets } from './secrets.js';

const WORKLOADS = [
  { inFlight: 1, payloadBytes: 256 },
  { inFlight: 64, payloadBytes: 256 },
];
const QUICK = { rounds: 7, runMs: 800, warmUpMs: 1000 }; // under a minute
const LONG = { rounds: 15, runMs: 2000, warmUpMs: 2000 };

function readPlan(): Omit<Plan, 'peers'> {
  const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
  return { workloads: WORKLOADS, ...(values.quick ? QUICK : LONG) };
}

function printLines(lines: readonly string[]): void {
  for (const line of lines) console.log(line);
}

async function bench(plan: Omit<Plan, 'peers'>): Promise<void> {
  const secrets = await makeSecrets();
  const peers = PEERS.filter((peer) => {
    const missing = peer.missing?.(secrets);
    if (missing !== undefined) console.log(`${peer.name} left out: needs ${missing}`);
    return missing === undefined;
  });
  const processors = cpus();
  printLines([
    `node: ${process.versions.node}`,
    `processors: ${processors.length} (${processors[0]?.model.trim() ?? 'unknown'})`,
    `rounds: ${plan.rounds} of ${plan.runMs} ms each`,
  ]);
  const results = await runRounds({ ...plan, peers }, secrets);
  for (const result of results) printLines(reportPeer(result));
  const subject = results.find(({ peer }) => peer === SUBJECT);
  if (subject === undefined) return;
  for (const other of results) if (other !== subject) printLines(reportRatios(subject, other));
  // That a peer hangs is a result; that the subject does is a failure.
  if (subject.failures.size > 0) process.exitCode = 1;
}

// A signal ends the run the ordinary way, so that nothing is left behind; it may come twice.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
try {
  await bench(readPlan());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
