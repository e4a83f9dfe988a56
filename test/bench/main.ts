import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Secrets } from './peer.js';
import { PEERS, SUBJECT } from './peers/index.js';
import { reportPeer, reportRatios } from './report.js';
import { runRounds, type Plan } from './rounds.js';
import { withSecrets } from './secrets.js';

const WORKLOADS = [
  { inFlight: 1, payloadBytes: 256 },
  { inFlight: 64, payloadBytes: 256 },
];
const QUICK = { rounds: 7, runMs: 800, warmUpMs: 1000 }; // under a minute
const LONG = { rounds: 15, runMs: 2000, warmUpMs: 2000 };

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });

function printLines(lines: readonly string[]): void {
  for (const line of lines) console.log(line);
}

async function bench(secrets: Secrets): Promise<void> {
  const peers = PEERS.filter((peer) => {
    const missing = peer.missing?.(secrets);
    if (missing !== undefined) console.log(`${peer.name} left out: needs ${missing}`);
    return missing === undefined;
  });
  const plan: Plan = { peers, workloads: WORKLOADS, ...(values.quick ? QUICK : LONG) };
  const processors = cpus();
  printLines([
    `node: ${process.versions.node}`,
    `processors: ${processors.length} (${processors[0]?.model.trim() ?? 'unknown'})`,
    `rounds: ${plan.rounds} of ${plan.runMs} ms each`,
  ]);
  const results = await runRounds(plan, secrets);
  for (const result of results) printLines(reportPeer(result));
  const subject = results.find(({ peer }) => peer === SUBJECT);
  if (subject === undefined) return;
  for (const other of results) if (other !== subject) printLines(reportRatios(subject, other));
}

await withSecrets(bench);
