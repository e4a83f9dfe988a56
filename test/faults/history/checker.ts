import type { Call, HandlerRun, History } from './history.js';

/** Something that must not happen. */
export interface Finding {
  readonly rule: Rule;
  readonly what: string;
}

export const RULES = {
  wrong: 'An answer has the values of its request, in their order',
  pending: 'A call ends, and a request not after its timeout',
  unsent: 'A call that failed with sent: false ran no handler',
  unknown: 'A call that failed in the transport has a code of it, and says whether it was sent',
  lost: 'A call that has its answer or its acknowledgement ran a handler',
  doubled: 'A call runs one handler once, unless its caller allows more',
  order: 'The events of one client run at one server in the order in which they were emitted',
  invented: 'A handler runs only for a call that was made',
} as const;

/** The maximum number of attempts of a call, each of which may run a handler. */
const MAX_ATTEMPTS = 3;

export type Rule = keyof typeof RULES;

/** Returns everything in a history that breaks a rule. */
export function check(history: History): readonly Finding[] {
  const runsOf = new Map<string, HandlerRun[]>();
  for (const run of history.runs) runsOf.set(run.call, [...(runsOf.get(run.call) ?? []), run]);
  const callOf = new Map(history.calls.map((call) => [call.id, call]));
  return [
    ...history.calls.flatMap((call) => checkCall(call, runsOf.get(call.id) ?? [], history.slackMs)),
    ...history.runs
      .filter(({ call }) => !callOf.has(call))
      .map((run) => found('invented', `${run.call} at ${run.server}`)),
    ...checkOrder(history.runs, callOf),
  ];
}

function checkCall(call: Call, runs: readonly HandlerRun[], slackMs: number): readonly Finding[] {
  const { outcome } = call;
  const findings: Finding[] = [];
  const add = (rule: Rule, what: string): number => findings.push(found(rule, `${describeCall(call)}: ${what}`));
  if (!isRightSoFar(call)) add('wrong', `got ${describeValues(call.received)} and ${describeOutcome(call)}`);
  if (outcome.at === 'PENDING') add('pending', 'never ended');
  if (call.dueMs !== undefined && call.endedMs !== undefined && call.endedMs > call.dueMs + slackMs)
    add(
      'pending',
      `ended ${Math.round(call.endedMs - call.dueMs)} ms after its timeout, with ${describeOutcome(call)}`,
    );
  if (outcome.at === 'FAILED' && (outcome.sent === undefined || outcome.code === 'ERR_INTERNAL'))
    add('unknown', describeOutcome(call));
  if (outcome.at === 'FAILED' && outcome.sent === false && runs.length > 0)
    add('unsent', `${describeOutcome(call)}, and ran at ${describeRuns(runs)}`);
  if (outcome.at === 'DONE' && runs.length === 0 && !call.endsSealed) add('lost', 'no handler ran');
  if (runs.length > (call.mayRepeat ? MAX_ATTEMPTS : 1))
    add('doubled', `ran at ${describeRuns(runs)}, with ${describeOutcome(call)}`);
  return findings;
}

/** Whether what has come can be, or become, the right answer. */
function isRightSoFar({ values, failure, received, outcome }: Call): boolean {
  if (!received.every((value, index) => value === values[index])) return false;
  switch (outcome.at) {
    case 'DONE':
      return received.length === values.length && failure === undefined;
    case 'THREW':
      return received.length === values.length && failure === outcome.message;
    case 'PENDING':
    case 'FAILED':
    case 'CANCELLED':
      return received.length <= values.length;
  }
}

/**
 * An event that failed may run late, so only those that were acknowledged have an order. One that is done when it is sealed
 * may move afterwards, and one that may run twice may run late for the second time.
 */
function checkOrder(runs: readonly HandlerRun[], callOf: ReadonlyMap<string, Call>): readonly Finding[] {
  const findings: Finding[] = [];
  const placeOf = new Map([...callOf.keys()].map((id, place) => [id, place]));
  const last = new Map<string, string>();
  for (const { call: id, server } of runs) {
    const call = callOf.get(id);
    if (call === undefined || !call.isOrdered || call.endsSealed || call.mayRepeat || call.outcome.at !== 'DONE')
      continue;
    const pair = `${call.client} at ${server}`;
    const before = last.get(pair);
    last.set(pair, id);
    if (before !== undefined && (placeOf.get(before) ?? 0) > (placeOf.get(id) ?? 0))
      findings.push(found('order', `${pair}: ${id} ran after ${before}`));
  }
  return findings;
}

function found(rule: Rule, what: string): Finding {
  return { rule, what };
}

function describeCall({ id, kind, work }: Call): string {
  return `${kind} ${id} (${work})`;
}

function describeOutcome({ outcome }: Call): string {
  switch (outcome.at) {
    case 'PENDING':
      return 'no end';
    case 'DONE':
      return 'success';
    case 'THREW':
      return `the failure ${outcome.message}`;
    case 'FAILED':
      return `${outcome.code}, sent: ${outcome.sent}`;
    case 'CANCELLED':
      return 'a cancellation';
  }
}

const MAX_SHOWN = 3;

function describeValues(values: readonly string[]): string {
  const shown = values.slice(0, MAX_SHOWN).join(', ');
  return `[${values.length > MAX_SHOWN ? `${shown}, … ${values.length} values` : shown}]`;
}

function describeRuns(runs: readonly HandlerRun[]): string {
  return runs.map(({ server }) => server).join(', ');
}
