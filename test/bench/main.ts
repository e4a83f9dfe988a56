import type { Group } from './groups.js';
import { describeMachine, machineLines } from './machine.js';
import { readOptions, type BenchOptions } from './options.js';
import type { Secrets } from './peer.js';
import { RAISED_LIMITS } from './raised-limits.js';
import { reportPeer, reportRatios } from './report.js';
import { writeResult, type GroupResult } from './result-file.js';
import { runRounds, type PeerResult, type Plan } from './rounds.js';
import { makeSecrets } from './secrets.js';

async function bench({ groups, plan, jsonFile }: BenchOptions): Promise<void> {
  const secrets = await makeSecrets();
  const machine = await describeMachine();
  printLines(machineLines(machine));
  printLines([`rounds: ${plan.rounds} of ${plan.runMs} ms each`]);
  const results: GroupResult[] = [];
  for (const group of groups) {
    results.push({ name: group.name, peers: await benchGroup(group, plan, secrets) });
    // After each group, so that a run that is broken off has not been for nothing.
    if (jsonFile !== undefined) await writeResult(jsonFile, { machine, plan, groups: results });
  }
}

async function benchGroup(group: Group, plan: Plan, secrets: Secrets): Promise<readonly PeerResult[]> {
  printLines(['', `group: ${group.name}`]);
  if (group.limits === 'raised') printLines(limitLines());
  const peers = group.peers.filter((peer) => {
    const missing = peer.missing?.(secrets);
    if (missing !== undefined) console.log(`${peer.name} left out: needs ${missing}`);
    return missing === undefined;
  });
  const results = await runRounds({ ...group, peers }, plan, secrets);
  for (const result of results) printLines(reportPeer(result));
  const subject = results.at(-1);
  if (subject === undefined) return results;
  for (const other of results.slice(0, -1)) printLines(reportRatios(subject, other));
  // That a peer hangs is a result; that the subject does is a failure.
  if (subject.failures.size > 0) process.exitCode = 1;
  return results;
}

function limitLines(): readonly string[] {
  return Object.entries(RAISED_LIMITS).map(([peer, limits]) => {
    const raised = Object.entries(limits).map(([name, value]) => `${name} ${value}`);
    return `limits raised for ${peer}: ${raised.join(', ')}`;
  });
}

function printLines(lines: readonly string[]): void {
  for (const line of lines) console.log(line);
}

// A signal ends the run the ordinary way, so that nothing is left behind; it may come twice.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
try {
  await bench(readOptions(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
