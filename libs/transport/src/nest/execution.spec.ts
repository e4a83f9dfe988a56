import { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { from, Subject } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';

import { SocketView } from '../connection/socket-view.js';
import { SealwireContext } from './context.js';
import { Execution } from './execution.js';
import type { ExecutionOptions } from './execution.js';

let told: string[];

beforeEach(() => {
  told = [];
});

const note =
  (word: string): ((detail?: unknown) => void) =>
  (detail) =>
    void told.push(detail instanceof Error ? `${word} ${detail.message}` : word);

function execute(handler: () => unknown, hooks: Partial<ExecutionOptions['hooks']> = {}): Execution {
  const execution = new Execution({
    handler: () => Promise.resolve(handler()),
    data: 1,
    context: new SealwireContext({
      peer: { socket: new SocketView(new Socket()), address: undefined, keyId: '' },
      pattern: 'p',
      metadata: undefined,
      record: undefined,
    }),
    hooks: { start: (_context, done) => done(), end: note('end'), failed: note('failed'), ...hooks },
    sink: {
      only: note('only'),
      next: (value) => told.push(`next ${String(value)}`),
      whenWritable: () => undefined,
      complete: note('complete'),
      error: note('error'),
    },
    settled: note('settled'),
  });
  void execution.start();
  return execution;
}

/** Values that never end, until somebody stops them: then its `finally` is told. */
async function* values(name: string): AsyncGenerator<string> {
  try {
    for (;;) {
      yield name;
      await nextTurn();
    }
  } finally {
    note(`${name} stopped`)();
  }
}

const words = (): string[] => told.filter((word) => !word.startsWith('next'));
/** What is cleaned up is not waited for: it may end before the execution settles, or behind it. */
const sortedWords = (): string[] => words().sort();

describe('an execution', () => {
  it('starts no handler when it was cancelled while a start hook waited [R5.24]', async () => {
    let run = (): Promise<void> => expect.unreachable('the hook was not called');
    const execution = execute(note('handler'), { start: (_context, done) => void (run = done) });
    execution.cancel();
    await run();
    expect(told).toEqual(['settled', 'end']);
  });

  it('settles once a handler that was cancelled has ended, whether it fails or not', async () => {
    for (const end of [(): void => undefined, (): never => expect.unreachable('late')]) {
      told = [];
      let resume = (): void => undefined;
      const execution = execute(() => new Promise<void>((resolve) => (resume = resolve)).then(end));
      await nextTurn();
      execution.cancel();
      expect(told).toEqual([]);
      resume();
      await expect.poll(words).toEqual(['settled', 'end']);
    }
  });
});

describe('an iterable that comes through an observable', () => {
  it('is stopped when the observable fails', async () => {
    const results = new Subject<unknown>();
    execute(() => results);
    await nextTurn();
    results.next(values('a'));
    await expect.poll(() => told).toContain('next a');
    results.error(new Error('late'));
    await expect.poll(sortedWords).toEqual(['a stopped', 'end', 'error late', 'settled']);
  });

  it('is stopped when another one of the same observable fails, and so is the observable', async () => {
    const results = new Subject<unknown>();
    execute(() => results);
    await nextTurn();
    results.next(values('a'));
    results.next({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('broken')) }) });
    await expect.poll(sortedWords).toEqual(['a stopped', 'end', 'error broken', 'settled']);
    expect(results.observed).toBe(false);
  });

  it('is stopped with every other one when the execution is cancelled', async () => {
    const execution = execute(() => from([values('a'), values('b')]));
    await expect.poll(() => told).toContain('next b');
    execution.cancel();
    await expect.poll(sortedWords).toEqual(['a stopped', 'b stopped', 'end', 'settled']);
  });

  it('is told to its end before the observable completes, each of several', async () => {
    async function* few(name: string, count: number): AsyncGenerator<string> {
      for (let left = count; left > 0; left--) yield `${name}${left}`;
    }
    execute(() => from([few('a', 3), few('b', 1)]));
    await expect.poll(words).toEqual(['complete', 'settled', 'end']);
    expect(told.slice(0, 4).sort()).toEqual(['next a1', 'next a2', 'next a3', 'next b1']);
  });

  it.each([
    ['whose next() throws', { next: (): never => expect.unreachable('x') }],
    ['whose next() is missing', {}],
  ])('fails the answer %s, and ends the observable', async (_what, iterator) => {
    const results = new Subject<unknown>();
    execute(() => results);
    await nextTurn();
    results.next({ [Symbol.asyncIterator]: () => iterator });
    await expect.poll(() => words().length).toBe(3);
    expect(words()[0]).toMatch(/^error /);
    expect(results.observed).toBe(false);
  });

  it.each([
    ['throws', (): never => expect.unreachable('x')],
    ['rejects', () => Promise.reject(new Error('x'))],
    ['never resolves', () => new Promise<never>(() => undefined)],
  ])('settles after a failure also where its return() %s', async (_what, end) => {
    const results = new Subject<unknown>();
    const next = (): Promise<unknown> => nextTurn({ done: false, value: 'v' });
    execute(() => results);
    await nextTurn();
    results.next({ [Symbol.asyncIterator]: () => ({ next, return: end }) });
    await expect.poll(() => told).toContain('next v');
    results.error(new Error('late'));
    await expect.poll(() => words().at(-1)).toBe('end');
    expect(words()[0]).toBe('error late');
  });
});
