import type { Group } from './groups.js';
import { describeMachine, machineLines } from './machine.js';
import type { BenchOptions } from './options.js';
import type { Secrets } from './peer.js';
import { RAISED_LIMITS } from './raised-limits.js';
import { reportPeer, reportRatios } from './report.js';
import { writeResult, type GroupResult } from './result-file.js';
import { runRounds, type PeerResult, type Plan, type StartPair } from './rounds.js';

/**
 * Measures the groups, and prints what each of them gave as soon as it is measured.
 *
 * @returns Whether the last peer of each group, which the others are measured against, managed every workload.
 */
export async function runBench(
  { groups, plan, jsonFile }: BenchOptions,
  secrets: Secrets,
  startPair: StartPair,
): Promise<boolean> {
  const machine = await describeMachine();
  printLines(machineLines(machine));
  printLines([`rounds: ${plan.rounds} of ${plan.runMs} ms each`]);
  const results: GroupResult[] = [];
  for (const group of groups) {
    results.push({ name: group.name, peers: await benchGroup(group, plan, secrets, startPair) });
    // After each group, so that a run that is broken off has not been for nothing.
    if (jsonFile !== undefined) await writeResult(jsonFile, { machine, plan, groups: results });
  }
  // That a peer hangs is a result; that the subject does is a failure.
  return results.every(({ peers }) => (peers.at(-1)?.failures.size ?? 0) === 0);
}

async function benchGroup(
  group: Group,
  plan: Plan,
  secrets: Secrets,
  startPair: StartPair,
): Promise<readonly PeerResult[]> {
  printLines(['', `group: ${group.name}`]);
  if (group.limits === 'raised') printLines(limitLines());
  const peers = group.peers.filter((peer) => {
    const missing = peer.missing?.(secrets);
    if (missing !== undefined) console.log(`${peer.name} left out: needs ${missing}`);
    return missing === undefined;
  });
  const results = await runRounds({ ...group, peers }, plan, secrets, startPair);
  for (const result of results) printLines(reportPeer(result));
  const subject = results.at(-1);
  if (subject === undefined) return results;
  for (const other of results.slice(0, -1)) printLines(reportRatios(subject, other));
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
