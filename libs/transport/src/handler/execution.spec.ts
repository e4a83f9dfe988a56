import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { from, Observable, of, Subject } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
import { SocketView } from '../../../channel/src/socket/socket-view.js';
import { SealwireContext } from './context.js';
import { Execution, STOP_TIMEOUT_MS } from './execution.js';
import type { ExecutionOptions } from './execution.js';

let told: string[];

beforeEach(() => {
  told = [];
});

const note =
  (word: string): ((detail?: unknown) => void) =>
  (detail) =>
    void told.push(detail instanceof Error ? `${word} ${detail.message}` : word);

function execute(
  handler: () => unknown,
  hooks: Partial<ExecutionOptions['hooks']> = {},
  whenWritable: ExecutionOptions['sink']['whenWritable'] = () => undefined,
): Execution {
  const execution = new Execution(optionsOf(handler, hooks, whenWritable));
  void execution.start();
  return execution;
}

function optionsOf(
  handler: () => unknown,
  hooks: Partial<ExecutionOptions['hooks']> = {},
  whenWritable: ExecutionOptions['sink']['whenWritable'] = () => undefined,
): ExecutionOptions {
  return {
    handler: () => Promise.resolve(handler()),
    data: 1,
    context: new SealwireContext({
      peer: { socket: new SocketView(new Socket()), address: undefined, keyId: '', label: undefined, instanceId: '' },
      pattern: 'p',
      metadata: undefined,
      record: undefined,
    }),
    hooks: {
      areUnset: () => false,
      start: (_context, done) => done(),
      end: note('end'),
      onFailure: note('failed'),
      onAbandoned: note('abandoned'),
      ...hooks,
    },
    sink: {
      only: note('only'),
      next: (value) => told.push(`next ${String(value)}`),
      whenWritable,
      complete: note('complete'),
      error: note('error'),
    },
    onSettled: note('settled'),
  };
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
  it('starts no handler if it was cancelled while a start hook waited [R5.24]', async () => {
    let run = (): Promise<void> => expect.unreachable('the hook was not called');
    const execution = execute(note('handler'), { start: (_context, done) => void (run = done) });
    execution.cancel();
    await run();
    expect(told).toEqual(['settled', 'end']);
  });

  it('settles once a cancelled handler has ended, whether it fails or not', async () => {
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

describe('an execution without hooks', () => {
  it.each([
    ['a value', (): unknown => 1, ['only', 'settled']],
    ['an observable', (): unknown => of(1, 2), ['next 1', 'next 2', 'complete', 'settled']],
    ['an iterable', (): unknown => Readable.from([1, 2]), ['next 1', 'next 2', 'complete', 'settled']],
    ['a failure', (): unknown => Promise.reject(new Error('x')), ['error x', 'settled']],
    ['a throw', (): never => expect.unreachable(), [expect.stringMatching('^error '), 'settled']],
  ])('ends with %s as with hooks, and calls none', async (_what, handler, expected) => {
    execute(handler, { areUnset: () => true });
    await expect.poll(() => told.at(-1)).toBe('settled');
    expect(told).toEqual(expected);
  });

  it('calls the end hook that is set while its handler runs', async () => {
    let areUnset = true;
    execute(() => nextTurn(), { areUnset: () => areUnset });
    areUnset = false;
    await expect.poll(() => told).toEqual(['only', 'settled', 'end']);
  });

  it('reports an exception of the failure report itself, and rejects nothing', async () => {
    const execution = new Execution({
      ...optionsOf(() => Promise.reject(new Error('x')), { areUnset: () => true }),
      onSettled: () => expect.unreachable('settled'),
    });
    await expect(execution.start()).resolves.toBeUndefined();
    expect(told).toEqual(['error x', expect.stringMatching('^failed ')]);
  });
});

describe('an iterable that an observable emits', () => {
  it('is stopped when the observable fails', async () => {
    const results = new Subject<unknown>();
    execute(() => results);
    await nextTurn();
    results.next(values('a'));
    await expect.poll(() => told).toContain('next a');
    results.error(new Error('late'));
    await expect.poll(sortedWords).toEqual(['a stopped', 'end', 'error late', 'settled']);
  });

  it('is stopped with its observable when another iterable of that observable fails', async () => {
    const results = new Subject<unknown>();
    execute(() => results);
    await nextTurn();
    results.next(values('a'));
    results.next({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('broken')) }) });
    await expect.poll(sortedWords).toEqual(['a stopped', 'end', 'error broken', 'settled']);
    expect(results.observed).toBe(false);
  });

  it('is stopped with all others when the execution is cancelled', async () => {
    const execution = execute(() => from([values('a'), values('b')]));
    await expect.poll(() => told).toContain('next b');
    execution.cancel();
    await expect.poll(sortedWords).toEqual(['a stopped', 'b stopped', 'end', 'settled']);
  });

  it('is read to its end before the observable completes, each of several', async () => {
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
  ])('%s fails the answer, and ends the observable', async (_what, iterator) => {
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
  ])('settles after a failure also if its return() %s', async (_what, end) => {
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

const silence = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** Sources that wait for ever for their next value; `stopped` is noted where they can notice that nobody wants it. */
const WAITING: readonly [what: string, source: () => AsyncIterable<unknown>][] = [
  ['a Node stream', () => new Readable({ read() {}, destroy: (_error, done) => (note('stopped')(), done(null)) })],
  ['a web stream', () => new ReadableStream({ cancel: note('stopped') })],
  ['a web stream of bytes', () => new ReadableStream({ type: 'bytes', cancel: note('stopped') })],
  [
    'a web stream whose cancel() never settles',
    () => new ReadableStream({ cancel: () => (note('stopped')(), silence()) }),
  ],
  [
    'a web stream whose cancel() throws',
    () => new ReadableStream({ cancel: () => (note('stopped')(), expect.unreachable()) }),
  ],
  [
    'the readable side of a transform stream',
    () => new ReadableStream({ cancel: note('stopped') }).pipeThrough(new TransformStream()),
  ],
  [
    'a Node stream as a web stream',
    () => Readable.toWeb(new PassThrough().on('close', note('stopped'))) as ReadableStream,
  ],
];

const WAYS: readonly [how: string, answer: (source: AsyncIterable<unknown>) => unknown][] = [
  ['alone', (source) => source],
  ['in an observable', (source) => of(source)],
];

describe.each(WAYS)('a waiting source that is returned %s', (_how, answer) => {
  it.each(WAITING)('stops as soon as the execution is cancelled: %s', async (_what, source) => {
    const execution = execute(() => answer(source()));
    await nextTurn();
    execution.cancel();
    await expect.poll(sortedWords).toEqual(['end', 'settled', 'stopped']);
  });

  it.each(WAITING)('does not keep running when it arrives after the cancellation: %s', async (_what, source) => {
    let give = (_result: unknown): void => undefined;
    const execution = execute(() => new Promise((resolve) => (give = resolve)));
    await nextTurn();
    execution.cancel();
    give(source());
    await expect.poll(sortedWords).toEqual(['end', 'settled', 'stopped']);
  });
});

describe('a source that does not stop', () => {
  let time: FakeClock;

  beforeEach(() => {
    time = FakeClock.install();
  });

  async function* neverYields(): AsyncGenerator<string> {
    yield await silence<string>();
  }

  it.each([
    ['an async generator that waits', () => neverYields()],
    ['an iterable without return()', () => ({ [Symbol.asyncIterator]: () => ({ next: silence }) })],
    [
      'one whose return() never settles',
      () => ({ [Symbol.asyncIterator]: () => ({ next: silence, return: silence }) }),
    ],
    ['a stream whose destroy() never ends', () => new Readable({ read() {}, destroy() {} })],
    ['one of two in an observable', () => from([neverYields(), values('a')])],
  ])('releases its place after a while, with an entry in the log: %s', async (_what, result) => {
    const execution = execute(result);
    await nextTurn();
    execution.cancel();
    await nextTurn();
    time.advance(STOP_TIMEOUT_MS - 1);
    expect(words()).not.toContain('settled');
    time.advance(1);
    expect(words().slice(-3)).toEqual(['abandoned', 'settled', 'end']);
  });

  it('settles once, and a later failure is not reported', async () => {
    let fail = (_error: Error): void => undefined;
    const next = (): Promise<never> => new Promise((_resolve, reject) => (fail = reject));
    const execution = execute(() => ({ [Symbol.asyncIterator]: () => ({ next }) }));
    await nextTurn();
    execution.cancel();
    time.advance(STOP_TIMEOUT_MS);
    fail(new Error('late'));
    await nextTurn();
    expect(words()).toEqual(['abandoned', 'settled', 'end']);
  });

  it('is not reported if it stops in time', async () => {
    const execution = execute(() => values('a'));
    await nextTurn();
    execution.cancel();
    await expect.poll(words).toContain('end');
    time.advance(STOP_TIMEOUT_MS);
    expect(words()).not.toContain('abandoned');
  });
});

describe('a Node stream that fails', () => {
  const broken = (): Readable => new Readable({ read() {} });

  it.each(WAYS)('fails the answer, also while the connection is full: %s', async (_how, answer) => {
    const stream = broken();
    execute(() => answer(stream), {}, silence);
    await nextTurn();
    stream.destroy(new Error('no such file'));
    await expect.poll(words).toEqual(['error no such file', 'settled', 'end']);
  });

  it.each(WAYS)('fails the answer if the handler has already destroyed it: %s', async (_how, answer) => {
    let listeners: number | undefined;
    const handler = (): unknown => {
      const stream = broken().destroy(new Error('early'));
      process.nextTick(() => (listeners = stream.listenerCount('error')));
      return answer(stream);
    };
    setImmediate(() => execute(handler)); // out of I/O, where ticks come before microtasks
    await expect.poll(words).toEqual(['error early', 'settled', 'end']);
    expect(listeners).toBeGreaterThan(0);
  });

  it('fails the answer if it only emits the error', async () => {
    const stream = new Readable({ read() {}, autoDestroy: false });
    execute(() => stream);
    await nextTurn();
    stream.emit('error', new Error('by hand'));
    await expect.poll(words).toEqual(['error by hand', 'settled', 'end']);
  });

  it('causes no uncaught error after it was cancelled or has ended', async () => {
    const cancelled = broken();
    const execution = execute(() => cancelled);
    await nextTurn();
    execution.cancel();
    const ended = Readable.from(['value']);
    execute(() => ended);
    await expect.poll(() => words().filter((word) => word === 'end')).toHaveLength(2);
    for (const stream of [cancelled, ended]) expect(stream.emit('error', new Error('late'))).toBe(true);
    expect(words()).not.toContain('error late');
  });
});

it('leaves one listener on an emitter, however often that is returned', async () => {
  const shared = Object.assign(new EventEmitter(), { [Symbol.asyncIterator]: () => values('a') });
  const executions = Array.from({ length: 20 }, () => execute(() => shared));
  await nextTurn();
  for (const execution of executions) execution.cancel();
  await expect.poll(() => words().filter((word) => word === 'end')).toHaveLength(20);
  expect(shared.listenerCount('error')).toBe(1);
});

describe('an observable that stops the execution with its own first values', () => {
  it('has its later iterables stopped, and is unsubscribed', async () => {
    let isSubscribed = false;
    let stop = (): void => undefined;
    const late = new Readable({ read() {} });
    const results = new Observable<unknown>((subscriber) => {
      isSubscribed = true;
      stop();
      subscriber.next(late);
      return () => (isSubscribed = false);
    });
    const execution = execute(() => results, {
      start: (_context, done) => {
        stop = () => execution.cancel();
        return done();
      },
    });
    await expect.poll(words).toEqual(['settled', 'end']);
    expect(late.destroyed).toBe(true);
    expect(isSubscribed).toBe(false);
  });
});

it('does not starve the event loop with a source that never waits and is never throttled', async () => {
  const execution = execute(async function* () {
    for (;;) yield 1;
  });
  await nextTurn();
  await nextTurn();
  execution.cancel();
  await expect.poll(words).toEqual(['settled', 'end']);
});
