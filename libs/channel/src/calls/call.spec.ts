import { describe, expect, it } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
import type { ClientLink } from '../client/client-link.js';
import type { Links } from '../client/links.js';
import { TransportError } from '../errors.js';
import type { TransportErrorCode } from '../errors.js';
import { OutgoingMessage } from '../sending/outgoing-message.js';
import { encodeWireError } from '../sending/plain-message.js';
import type { WireErrorCode } from '../sending/wire-error.js';
import type { AnswerSink } from '../streams/client-stream.js';
import { CallQueue } from './call-queue.js';
import { PlainCall } from './plain-call.js';

const LIMITS = { maxQueuedMessages: 3, maxQueuedBytes: 100 };
const TURNS = 10;

interface Attempt {
  readonly server: string;
  readonly prefix: number;
  readonly name: number;
  readonly message: OutgoingMessage;
  readonly sink: AnswerSink;
  readonly stream: { wasSealed: boolean };
}

interface Dial {
  readonly resolve: (link: ClientLink) => void;
  readonly reject: (error: unknown) => void;
}

/** The connections of a client: one to each server of `open`, in their order of preference. */
class FakeLinks {
  readonly attempts: Attempt[] = [];
  readonly cancelled: string[] = [];
  /** Calls that wait for a connection. */
  readonly dials: Dial[] = [];
  /** Thrown by the next attempt. */
  refusal: TransportError | undefined;
  closes = 0;
  #open: readonly string[];

  constructor(...open: readonly string[]) {
    this.#open = open;
  }

  get servers(): string {
    return this.attempts.map(({ server }) => server).join(' ');
  }

  /** The server is no longer used, and fails the call that is at it. */
  lose(error: TransportError, sealed = error.sent !== false): void {
    const { server, sink, stream } = this.last;
    if (sealed) stream.wasSealed = true;
    this.leave(server);
    sink.fail(error);
  }

  leave(server: string): void {
    this.#open = this.#open.filter((id) => id !== server);
  }

  connect(server: string): void {
    this.#open = [...this.#open, server];
    for (const { resolve } of this.dials.splice(0)) resolve(this.#link(server));
  }

  /** All connections end, and the calls on them fail as if they drained. */
  close(): void {
    this.closes += 1;
    this.#open = [];
    for (const { sink } of this.attempts.splice(0)) sink.fail(failure('ERR_CONNECTION_DRAINING', false));
  }

  get last(): Attempt {
    const attempt = this.attempts.at(-1);
    if (attempt === undefined) throw new Error('No attempt was made');
    return attempt;
  }

  asLinks(): Links {
    const links: Pick<Links, 'pick' | 'connect'> = {
      pick: (_kind, except) => {
        const server = this.#open.find((id) => except?.has(id) !== true);
        return server === undefined ? undefined : this.#link(server);
      },
      connect: (_kind, signal) =>
        new Promise((resolve, reject) => {
          const [server] = this.#open;
          if (server !== undefined) resolve(this.#link(server));
          else this.dials.push({ resolve, reject });
          signal?.addEventListener('abort', () => reject(new Error('aborted')));
        }),
    };
    return Object.defineProperty(links, 'closes', { get: () => this.closes }) as unknown as Links;
  }

  #link(serverId: string): ClientLink {
    const link = {
      serverId,
      connection: { retire: () => this.leave(serverId) },
      streams: { cancel: () => void this.cancelled.push(serverId) },
      open: (_kind: string, message: OutgoingMessage, sink: AnswerSink): Attempt['stream'] => {
        const { refusal } = this;
        this.refusal = undefined;
        const stream: Attempt['stream'] = { wasSealed: false };
        this.attempts.push({ server: serverId, prefix: message.prefix, name: message.bytes, message, sink, stream });
        if (refusal !== undefined) throw refusal;
        return stream;
      },
    };
    return link as unknown as ClientLink;
  }
}

interface Outcome {
  value?: string;
  error?: unknown;
}

interface Started {
  readonly queue: CallQueue;
  readonly outcome: Outcome;
}

interface Options {
  readonly kind?: 'REQUEST' | 'EVENT';
  readonly mayRepeat?: boolean;
  readonly timeoutMs?: number;
  readonly queue?: CallQueue;
  readonly onLost?: (error: unknown) => void;
  /** The length of the message, by which a test knows a call. */
  readonly bytes?: number;
}

function start(links: FakeLinks, options: Options = {}): Started {
  const { kind = 'REQUEST', mayRepeat = false, timeoutMs = 0, bytes = 10 } = options;
  const queue = options.queue ?? new CallQueue(links.asLinks(), LIMITS);
  const outcome: Outcome = {};
  const settle = {
    resolve: (answer: Buffer) => void (outcome.value = answer.toString()),
    reject: (error: unknown) => void (outcome.error = error),
  };
  new PlainCall({ kind, queue, mayRepeat, onLost: options.onLost }, settle).run(
    new OutgoingMessage(Buffer.of(1), Buffer.alloc(bytes - 1)),
    timeoutMs,
  );
  return { queue, outcome };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await Promise.resolve();
}

const failure = (code: TransportErrorCode, sent?: boolean): TransportError =>
  new TransportError(code, code, sent === undefined ? {} : { sent });
const refusal = (code: WireErrorCode): Buffer => {
  const message = encodeWireError(code);
  const bytes = Buffer.alloc(message.bytes);
  message.write(bytes, 0);
  return bytes;
};
const value = (text: string): Buffer => Buffer.from(`\u0001${text}`);

describe('a call of which no byte was sent', () => {
  it.each([
    'ERR_CONNECTION_LOST',
    'ERR_CONNECTION_DRAINING',
    'ERR_CONNECTION_CLOSED',
    'ERR_TRUNCATED',
    'ERR_BAD_MAC',
    'ERR_STREAMS_EXHAUSTED',
  ] as const)('moves to another server after %s', (code) => {
    const links = new FakeLinks('a', 'b');
    const { queue, outcome } = start(links);
    links.lose(failure(code, false));
    links.last.sink.next(value('yes'), true);
    expect([links.servers, outcome.value, queue.retries]).toEqual(['a b', 'yes', 1]);
  });

  it('moves if the connection refuses it immediately', () => {
    const links = new FakeLinks('a');
    links.refusal = failure('ERR_CONNECTION_DRAINING', false);
    start(links);
    expect(links.servers).toBe('a a');
  });

  it.each(['ERR_MESSAGE_TOO_LARGE', 'ERR_QUEUE_FULL', 'ERR_CLIENT_CLOSED', 'ERR_INTERNAL'] as const)(
    'fails immediately with %s, because another server changes nothing',
    (code) => {
      const links = new FakeLinks('a', 'b');
      const { outcome } = start(links);
      links.lose(failure(code, false));
      expect([links.servers, outcome.error]).toEqual(['a', failure(code, false)]);
    },
  );

  it('waits for a connection if none is open, even to the same server', async () => {
    const links = new FakeLinks('a');
    const { outcome } = start(links);
    links.lose(failure('ERR_CONNECTION_LOST', false));
    expect([links.servers, links.dials.length, outcome]).toEqual(['a', 1, {}]);
    links.connect('a');
    await settled();
    expect(links.servers).toBe('a a');
  });

  it('fails with the error of the dial if there is no connection, and says that it was not sent', async () => {
    const links = new FakeLinks('a');
    const { outcome } = start(links);
    links.lose(failure('ERR_CONNECTION_LOST', false));
    links.dials[0]?.reject(failure('ERR_CONNECT_FAILED', false));
    await settled();
    expect(outcome.error).toMatchObject({
      code: 'ERR_CONNECT_FAILED',
      sent: false,
      message: 'ERR_CONNECT_FAILED (after 2 attempts)',
    });
  });

  it('fails after three attempts, and says so', () => {
    const links = new FakeLinks('a', 'b', 'c', 'd');
    const { outcome } = start(links);
    for (let attempt = 0; attempt < 3; attempt++) links.lose(failure('ERR_CONNECTION_LOST', false));
    expect(links.servers).toBe('a b c');
    expect(outcome.error).toMatchObject({ sent: false, message: 'ERR_CONNECTION_LOST (after 3 attempts)' });
  });

  it('needs no token of the budget', () => {
    const links = new FakeLinks('a', 'b');
    const { queue } = start(links);
    while (queue.budget.take());
    links.lose(failure('ERR_CONNECTION_LOST', false));
    expect(links.servers).toBe('a b');
  });

  it('is given the time that is left', () => {
    const clock = FakeClock.install();
    const links = new FakeLinks('a', 'b');
    start(links, { timeoutMs: 1_000 });
    clock.advance(400);
    links.lose(failure('ERR_CONNECTION_LOST', false));
    expect(links.attempts.map(({ prefix }) => prefix)).toEqual([1_000, 600]);
  });
});

describe('a call that a server refuses', () => {
  it.each([
    ['REQUEST', 'ERR_OVERLOADED'],
    ['REQUEST', 'ERR_FORBIDDEN'],
    ['REQUEST', 'ERR_SHUTTING_DOWN'],
    ['EVENT', 'ERR_OVERLOADED'],
    ['EVENT', 'ERR_FORBIDDEN'],
    ['EVENT', 'ERR_SHUTTING_DOWN'],
  ] as const)('moves to a server that it has not tried: %s, %s', (kind, code) => {
    const links = new FakeLinks('a', 'b');
    const { outcome } = start(links, { kind });
    links.last.sink.error(refusal(code));
    links.last.sink.complete();
    expect([links.servers, outcome.value]).toEqual(['a b', '']);
  });

  it.each(['ERR_OVERLOADED', 'ERR_FORBIDDEN'] as const)(
    'fails with %s if every server has refused it',
    async (code) => {
      const links = new FakeLinks('a', 'b');
      const { outcome } = start(links);
      links.last.sink.error(refusal(code));
      links.last.sink.error(refusal(code));
      await settled();
      expect([links.servers, links.dials.length]).toEqual(['a b', 0]);
      expect(outcome.error).toMatchObject({
        code,
        sent: false,
        message: expect.stringContaining('2 attempts') as string,
      });
    },
  );

  it('is a call whose connection the server closed because it has too many of them', () => {
    const links = new FakeLinks('a');
    const { outcome } = start(links);
    links.lose(failure('ERR_OVERLOADED', false));
    expect([links.servers, links.dials.length, outcome.error]).toEqual(['a', 0, failure('ERR_OVERLOADED', false)]);
  });

  it('waits for a connection after ERR_SHUTTING_DOWN, also to the restarted server', async () => {
    const links = new FakeLinks('a');
    const { queue } = start(links);
    while (queue.budget.take());
    links.last.sink.error(refusal('ERR_SHUTTING_DOWN'));
    expect(links.dials).toHaveLength(1);
    links.connect('a');
    await settled();
    expect(links.servers).toBe('a a');
  });

  it('fails immediately without a token of the budget', () => {
    const links = new FakeLinks('a', 'b');
    const { queue, outcome } = start(links);
    while (queue.budget.take());
    links.last.sink.error(refusal('ERR_OVERLOADED'));
    expect([links.servers, outcome.error]).toMatchObject(['a', { code: 'ERR_OVERLOADED', sent: false }]);
  });

  it.each(['ERR_MESSAGE_MALFORMED', 'ERR_MESSAGE_TOO_COMPLEX', 'ERR_REQUEST_TIMEOUT', 'ERR_STREAM_CUT'] as const)(
    'fails with %s, which says nothing of other servers',
    (code) => {
      const links = new FakeLinks('a', 'b');
      const { outcome } = start(links);
      links.last.sink.error(refusal(code));
      expect([links.servers, outcome.error]).toMatchObject(['a', { code }]);
    },
  );

  it('fails with the error of a handler', () => {
    const links = new FakeLinks('a', 'b');
    const { outcome } = start(links, { mayRepeat: true });
    links.last.sink.error(Buffer.from('\u0004no'));
    expect([links.servers, outcome.error]).toEqual(['a', new Error('no')]);
  });
});

describe('a call that was sent', () => {
  it.each(['REQUEST', 'EVENT'] as const)('fails with its connection: %s', (kind) => {
    const links = new FakeLinks('a', 'b');
    const { outcome } = start(links, { kind });
    links.lose(failure('ERR_CONNECTION_LOST', true));
    expect([links.servers, outcome.error]).toEqual(['a', failure('ERR_CONNECTION_LOST', true)]);
  });

  it.each(['REQUEST', 'EVENT'] as const)('moves if it may run twice: %s', (kind) => {
    const links = new FakeLinks('a', 'b');
    const { outcome } = start(links, { kind, mayRepeat: true });
    links.lose(failure('ERR_CONNECTION_LOST', true));
    links.last.sink.complete();
    expect([links.servers, outcome.value]).toEqual(['a b', '']);
  });

  it('moves if it may run twice and the server cut it when it shut down', () => {
    const links = new FakeLinks('a', 'b');
    start(links, { mayRepeat: true });
    links.leave('a');
    links.last.sink.error(refusal('ERR_STREAM_CUT'));
    expect(links.servers).toBe('a b');
  });

  it.each(['ERR_CLIENT_CLOSED', 'ERR_QUEUE_FULL'] as const)(
    'fails with %s even if it may run twice, because this side is the reason',
    (code) => {
      const links = new FakeLinks('a', 'b');
      const { outcome } = start(links, { mayRepeat: true });
      links.lose(failure(code, true));
      expect([links.servers, outcome.error]).toMatchObject(['a', { code, sent: true }]);
    },
  );

  it('gets no value of the first answer in the second', () => {
    const links = new FakeLinks('a', 'b');
    const { outcome } = start(links, { mayRepeat: true });
    links.last.sink.next(value('first'), false);
    links.lose(failure('ERR_CONNECTION_LOST', true));
    links.last.sink.complete();
    expect(outcome.value).toBe('');
  });

  it('fails without a token of the budget, although it may run twice', () => {
    const links = new FakeLinks('a', 'b');
    const { queue, outcome } = start(links, { mayRepeat: true });
    while (queue.budget.take());
    links.lose(failure('ERR_CONNECTION_LOST', true));
    expect([links.servers, outcome.error]).toMatchObject(['a', { code: 'ERR_CONNECTION_LOST', sent: true }]);
  });

  it('says that it was sent if a later attempt was not', () => {
    const links = new FakeLinks('a', 'b', 'c');
    const { outcome } = start(links, { mayRepeat: true });
    links.lose(failure('ERR_CONNECTION_LOST', true));
    links.lose(failure('ERR_CONNECTION_LOST', false));
    links.last.sink.error(refusal('ERR_OVERLOADED'));
    expect(outcome.error).toMatchObject({ code: 'ERR_OVERLOADED', sent: true });
  });

  it('fails with the loss if the next dial fails for a reason without a message', async () => {
    const links = new FakeLinks('a');
    const { outcome } = start(links, { mayRepeat: true });
    links.lose(failure('ERR_CONNECTION_LOST'), true);
    links.dials[0]?.reject(new Error('no key file'));
    await settled();
    expect(outcome.error).toMatchObject({ code: 'ERR_CONNECTION_LOST', sent: true });
  });
});

describe('events that wait for a connection', () => {
  it('start in the order in which they were emitted, also one that a lost server had', async () => {
    const links = new FakeLinks('a');
    const { queue } = start(links, { kind: 'EVENT', mayRepeat: true, bytes: 11 });
    links.leave('a');
    for (const bytes of [12, 13]) start(links, { kind: 'EVENT', queue, bytes });
    links.last.sink.fail(failure('ERR_CONNECTION_LOST', true));
    links.connect('b');
    await settled();
    expect(links.attempts.slice(1).map(({ name }) => name)).toEqual([11, 12, 13]);
    expect(queue.isEmptyFor('EVENT')).toBe(true);
  });
});

describe('an event that is complete when it is sealed', () => {
  function sent(links: FakeLinks, lost: unknown[], timeoutMs = 0): Outcome {
    return start(links, { kind: 'EVENT', timeoutMs, onLost: (error) => lost.push(error) }).outcome;
  }

  it('has no deadline afterwards, and is not lost when it is acknowledged', async () => {
    const clock = FakeClock.install();
    const lost: unknown[] = [];
    const links = new FakeLinks('a');
    const outcome = sent(links, lost, 1_000);
    expect(outcome.value).toBeUndefined();
    links.last.sink.sealed?.();
    expect(outcome.value).toBe('');
    await clock.advanceAsync(2_000);
    links.last.sink.complete();
    expect([lost, links.cancelled]).toEqual([[], []]);
  });

  it('is reported as lost if its connection fails afterwards', () => {
    const lost: unknown[] = [];
    const links = new FakeLinks('a', 'b');
    const outcome = sent(links, lost);
    links.last.sink.sealed?.();
    links.lose(failure('ERR_CONNECTION_LOST', true));
    expect([links.servers, outcome, lost]).toEqual(['a', { value: '' }, [failure('ERR_CONNECTION_LOST', true)]]);
  });

  it('moves if a server refuses it afterwards, and is reported as lost if every server does', () => {
    const lost: unknown[] = [];
    const links = new FakeLinks('a', 'b');
    const outcome = sent(links, lost);
    for (let server = 0; server < 2; server++) {
      links.last.sink.sealed?.();
      links.last.sink.error(refusal('ERR_OVERLOADED'));
    }
    expect([links.servers, outcome.error]).toEqual(['a b', undefined]);
    expect(lost).toMatchObject([{ code: 'ERR_OVERLOADED', sent: false }]);
  });

  it('fails as any other if it cannot be sealed', () => {
    const lost: unknown[] = [];
    const links = new FakeLinks('a');
    const outcome = sent(links, lost);
    links.lose(failure('ERR_MESSAGE_TOO_LARGE', false));
    expect([outcome.error, lost]).toEqual([failure('ERR_MESSAGE_TOO_LARGE', false), []]);
  });
});

describe('the end of a call', () => {
  const lost = failure('ERR_CONNECTION_LOST', false);

  it('comes at its deadline while it waits for a connection, with the number of attempts', async () => {
    const clock = FakeClock.install();
    const links = new FakeLinks('a');
    const { outcome } = start(links, { timeoutMs: 1_000 });
    links.lose(lost);
    await clock.advanceAsync(1_000);
    expect(outcome.error).toMatchObject({
      code: 'ERR_REQUEST_TIMEOUT',
      sent: false,
      message: 'The call timed out: it was not complete within 1000 ms (after 2 attempts)',
    });
    links.connect('b');
    await settled();
    expect(links.servers).toBe('a');
  });

  it('cancels the stream of the current attempt at the deadline', async () => {
    const clock = FakeClock.install();
    const links = new FakeLinks('a', 'b');
    const { outcome } = start(links, { timeoutMs: 1_000 });
    links.lose(lost);
    links.last.stream.wasSealed = true;
    await clock.advanceAsync(1_000);
    expect(links.cancelled).toEqual(['b']);
    expect(outcome.error).toMatchObject({ code: 'ERR_REQUEST_TIMEOUT', sent: true });
  });

  it('comes with the failure of its connection after the client was closed', () => {
    const links = new FakeLinks('a', 'b');
    const { queue, outcome } = start(links);
    queue.close();
    links.lose(lost);
    expect([links.servers, outcome.error]).toEqual(['a', lost]);
    start(links, { queue });
    expect(links.servers).toBe('a b');
  });

  it('comes with close() for a request that waits for a connection; an event still starts', async () => {
    const links = new FakeLinks('a');
    const { queue, outcome } = start(links);
    links.lose(lost);
    const event = start(links, { queue, kind: 'EVENT', bytes: 11 });
    queue.close();
    expect(outcome.error).toMatchObject({ code: 'ERR_CLIENT_CLOSED', sent: false });
    const { whenEventsStarted } = queue;
    links.connect('b');
    await whenEventsStarted;
    expect([links.last.name, event.outcome, queue.whenEventsStarted]).toEqual([11, {}, undefined]);
  });

  it.each(['REQUEST', 'EVENT'] as const)(
    'comes with ERR_CLIENT_CLOSED, and without a dial, if the connections close while the %s waits on one',
    (kind) => {
      const links = new FakeLinks('a');
      const { queue } = start(links);
      queue.close();
      const { outcome } = start(links, { queue, kind }); // it had waited for the connection
      links.close();
      expect(outcome.error).toMatchObject({ code: 'ERR_CLIENT_CLOSED', sent: false });
      expect(links.dials).toEqual([]);
    },
  );

  it('comes with ERR_CLIENT_CLOSED if the connections close before an event starts on the one that it waited for', async () => {
    const links = new FakeLinks();
    const { queue, outcome } = start(links, { kind: 'EVENT' });
    links.connect('a');
    links.close();
    await settled();
    expect(outcome.error).toMatchObject({ code: 'ERR_CLIENT_CLOSED', sent: false });
    const later = start(links, { queue, kind: 'EVENT' });
    links.connect('b');
    await settled();
    expect([later.outcome, links.servers]).toEqual([{}, 'b']);
  });

  it('comes with ERR_QUEUE_FULL if too many calls or bytes wait for a connection', () => {
    const links = new FakeLinks();
    const { queue } = start(links, { bytes: 60 });
    expect(start(links, { queue, bytes: 60 }).outcome.error).toMatchObject({ code: 'ERR_QUEUE_FULL', sent: false });
    for (let more = 0; more < 2; more++) expect(start(links, { queue }).outcome.error).toBeUndefined();
    expect(start(links, { queue }).outcome.error).toMatchObject({ code: 'ERR_QUEUE_FULL', sent: false });
  });

  it('does not come with ERR_QUEUE_FULL for calls of a lost connection, after which a new one is refused', async () => {
    const links = new FakeLinks('a');
    const { queue } = start(links, { bytes: 60 });
    for (let more = 0; more < 4; more++) start(links, { queue, bytes: 60 });
    const { attempts } = links;
    links.leave('a');
    for (const { sink } of attempts.slice()) sink.fail(failure('ERR_CONNECTION_LOST', false));
    expect(start(links, { queue }).outcome.error).toMatchObject({ code: 'ERR_QUEUE_FULL', sent: false });
    links.connect('b');
    await settled();
    expect(links.servers).toBe('a a a a a b b b b b');
    expect(attempts.map(({ message }) => message.hasPlace)).toEqual(Array.from({ length: 10 }, () => true));
  });
});

it('calls that fail together keep their order, and a new one of the same kind comes after them', async () => {
  const links = new FakeLinks('a');
  const { queue } = start(links, { kind: 'EVENT', bytes: 10 });
  start(links, { queue, kind: 'EVENT', bytes: 11 });
  const sinks = links.attempts.map(({ sink }) => sink);
  links.leave('a');
  for (const sink of sinks) sink.fail(failure('ERR_CONNECTION_LOST', false));
  links.connect('b');
  start(links, { queue, kind: 'EVENT', bytes: 12 });
  await settled();
  expect(links.attempts.map(({ name }) => name)).toEqual([10, 11, 10, 11, 12]);
});
