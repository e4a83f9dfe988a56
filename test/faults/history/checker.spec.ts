import { describe, expect, it } from 'vitest';

import { check } from './checker.js';
import type { Rule } from './checker.js';
import type { Call, HandlerRun } from './history.js';

const SLACK_MS = 100;
const REQUEST: Call = {
  id: 'c0-0',
  client: 'c0',
  kind: 'request',
  work: 'value',
  values: ['a', 'b'],
  failure: undefined,
  dueMs: 1_000,
  isOrdered: false,
  mayRepeat: false,
  endsSealed: false,
  received: ['a', 'b'],
  outcome: { at: 'DONE' },
  endedMs: 1_000 + SLACK_MS,
};
const EVENT: Call = { ...REQUEST, kind: 'event', values: [], received: [], dueMs: undefined, isOrdered: true };
const THROWN: Call = { ...REQUEST, failure: 'x', outcome: { at: 'THREW', message: 'x' } };
const UNSENT: Call = { ...REQUEST, received: [], outcome: { at: 'FAILED', code: 'ERR_NOT_CONNECTED', sent: false } };
const LOST: Call = { ...UNSENT, outcome: { at: 'FAILED', code: 'ERR_CONNECTION_LOST', sent: true } };
const RUN: HandlerRun = { call: REQUEST.id, server: 's0.0' };
const ELSEWHERE: HandlerRun = { ...RUN, server: 's0.1' };

function rulesOf(calls: readonly Call[], runs: readonly HandlerRun[]): readonly Rule[] {
  return check({ calls, runs, slackMs: SLACK_MS }).map(({ rule }) => rule);
}

function twoEvents(first: Call['outcome'], servers: readonly [string, string] = ['s0.0', 's0.0']): readonly Rule[] {
  const calls = [
    { ...EVENT, id: 'c0-1', outcome: first },
    { ...EVENT, id: 'c0-2' },
  ];
  return rulesOf(calls, [
    { call: 'c0-2', server: servers[0] },
    { call: 'c0-1', server: servers[1] },
  ]);
}

describe('a right history', () => {
  it.each<[string, Call, readonly HandlerRun[]]>([
    ['a request with its answer', REQUEST, [RUN]],
    ['an event that ran and was acknowledged', EVENT, [RUN]],
    ['a failure of the handler after its values', THROWN, [RUN]],
    ['a request that was not sent and did not run', UNSENT, []],
    ['a request that was lost before it ran', LOST, []],
    ['a request that was lost after it ran, with the first of its values', { ...LOST, received: ['a'] }, [RUN]],
    ['a request that may run twice and did', { ...REQUEST, mayRepeat: true }, [RUN, ELSEWHERE]],
    ['an event that was sealed and lost', { ...EVENT, endsSealed: true }, []],
    ['a cancelled request', { ...REQUEST, received: ['a'], outcome: { at: 'CANCELLED' } }, [RUN]],
  ])('has no finding with %s', (_, call, runs) => {
    expect(rulesOf([call], runs)).toEqual([]);
  });
});

describe('a wrong history', () => {
  it.each<[string, Rule, Call, readonly HandlerRun[]]>([
    ['another value', 'wrong', { ...REQUEST, received: ['a', 'x'] }, [RUN]],
    ['an answer with a value too few', 'wrong', { ...REQUEST, received: ['a'] }, [RUN]],
    ['an answer with a value twice', 'wrong', { ...REQUEST, received: ['a', 'b', 'b'] }, [RUN]],
    ['values in another order', 'wrong', { ...LOST, received: ['b'] }, [RUN]],
    ['an answer in the place of a failure', 'wrong', { ...REQUEST, failure: 'x' }, [RUN]],
    ['the failure of another request', 'wrong', { ...THROWN, failure: 'y' }, [RUN]],
    ['a failure in the place of an answer', 'wrong', { ...THROWN, failure: undefined }, [RUN]],
    ['a request that never ended', 'pending', { ...LOST, outcome: { at: 'PENDING' }, endedMs: undefined }, [RUN]],
    ['an event that never ended', 'pending', { ...EVENT, outcome: { at: 'PENDING' }, endedMs: undefined }, [RUN]],
    ['an end long after the timeout', 'pending', { ...REQUEST, endedMs: 1_001 + SLACK_MS }, [RUN]],
    ['sent: false of a request that ran', 'unsent', UNSENT, [RUN]],
    ['sent: false of an event that ran', 'unsent', { ...UNSENT, kind: 'event', values: [] }, [RUN]],
    ['a failure without sent', 'unknown', { ...LOST, outcome: { at: 'FAILED', code: 'E', sent: undefined } }, []],
    ['ERR_INTERNAL', 'unknown', { ...LOST, outcome: { at: 'FAILED', code: 'ERR_INTERNAL', sent: true } }, []],
    ['an acknowledged event that never ran', 'lost', EVENT, []],
    ['an answered request that never ran', 'lost', REQUEST, []],
    ['an event that ran twice in one server', 'doubled', EVENT, [RUN, RUN]],
    ['an event that ran in two servers', 'doubled', EVENT, [RUN, ELSEWHERE]],
    ['a request that ran twice', 'doubled', LOST, [RUN, RUN]],
    ['a request that ran more often than it may', 'doubled', { ...REQUEST, mayRepeat: true }, [RUN, RUN, RUN, RUN]],
    ['an event that ran twice after it was sealed once', 'doubled', { ...EVENT, endsSealed: true }, [RUN, RUN]],
  ])('is found: %s', (_, rule, call, runs) => {
    expect(rulesOf([call], runs)).toEqual([rule]);
  });

  it('is found: a handler that ran without a call', () => {
    expect(rulesOf([], [RUN])).toEqual(['invented']);
  });

  it('is found: two acknowledged events that changed places', () => {
    expect(twoEvents({ at: 'DONE' })).toEqual(['order']);
  });

  it('is not one if the event that ran late had failed, or ran at another server', () => {
    expect(twoEvents(LOST.outcome)).toEqual([]);
    expect(twoEvents({ at: 'DONE' }, ['s0.0', 's0.1'])).toEqual([]);
  });
});
