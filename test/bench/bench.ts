import type { Progress } from '#scripts/progress.mjs';
import type { Group } from './groups.js';
import { headlineLines, NOTE } from './headlines.js';
import { describeMachine, machineLines } from './machine.js';
import type { BenchOptions } from './options.js';
import { RAISED_LIMITS } from './raised-limits.js';
import { reportPeer, reportRatios } from './report.js';
import { writeResult, type GroupResult } from './result-file.js';
import { runRounds, type PeerResult, type Plan, type Setup } from './rounds.js';

/** What a bench runs with. */
export type BenchSetup = Setup & { readonly progress: Progress };

type Print = (lines: readonly string[]) => void;

/**
 * Measures the groups. Prints what each of them gave as soon as it is measured, or the headlines first and then the rest.
 *
 * @returns Whether the last peer of each group, which the others are measured against, managed every workload.
 */
export async function runBench(
  { groups, plan, headlinesFirst, jsonFile }: BenchOptions,
  setup: BenchSetup,
): Promise<boolean> {
  const printNow: Print = (lines) => {
    setup.progress.clear();
    for (const line of lines) console.log(line);
  };
  const held: string[] = [];
  const print: Print = headlinesFirst ? (lines) => void held.push(...lines) : printNow;
  const machine = await describeMachine();
  print([...machineLines(machine), `rounds: ${plan.rounds} of ${plan.runMs} ms each`]);
  const results: GroupResult[] = [];
  for (const group of groups) {
    results.push({ name: group.name, peers: await benchGroup(group, plan, setup, print) });
    // After each group, so that a run that is broken off has not been for nothing.
    if (jsonFile !== undefined) await writeResult(jsonFile, { machine, plan, groups: results });
  }
  printNow(headlinesFirst ? [...headlineLines(results), NOTE, '', ...held] : ['', NOTE]);
  // That a peer hangs is a result; that the subject does is a failure.
  return results.every(({ peers }) => (peers.at(-1)?.failures.size ?? 0) === 0);
}

async function benchGroup(group: Group, plan: Plan, setup: Setup, print: Print): Promise<readonly PeerResult[]> {
  print(['', `group: ${group.name}`, ...(group.limits === 'raised' ? limitLines() : [])]);
  const peers = group.peers.filter((peer) => {
    const missing = peer.missing?.(setup.secrets);
    if (missing !== undefined) print([`${peer.name} left out: needs ${missing}`]);
    return missing === undefined;
  });
  const results = await runRounds({ ...group, peers }, plan, setup);
  print(results.flatMap(reportPeer));
  const subject = results.at(-1);
  if (subject === undefined) return results;
  print(results.slice(0, -1).flatMap((other) => reportRatios(subject, other)));
  return results;
}

function limitLines(): readonly string[] {
  return Object.entries(RAISED_LIMITS).map(([peer, limits]) => {
    const raised = Object.entries(limits).map(([name, value]) => `${name} ${value}`);
    return `limits raised for ${peer}: ${raised.join(', ')}`;
  });
}
