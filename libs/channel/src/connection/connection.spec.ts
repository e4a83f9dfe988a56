import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { afterConfirm } from '../../../../test/support/after-confirm.js';
import { FakeClock } from '../../../../test/support/fake-clock.js';
import { bytesOf, encodeContent, encodeFrames, plainFrame } from '../../../../test/support/frames.js';
import type { PlainFrame } from '../../../../test/support/frames.js';
import { recordBodies } from '../../../../test/support/record-bodies.js';
import { sealRecord } from '../../../../test/support/seal-record.js';
import { encodeRequest } from '../../../transport/src/packet/message.js';
import { encodeData } from '../../../transport/src/packet/payload.js';
import { clock, MAX_TIMER_MS } from '../clock.js';
import type { TransportError } from '../errors.js';
import { SOCKET_OPTIONS } from '../options/endpoint.js';
import { resolveLimits } from '../options/limits.js';
import type { LimitGroups } from '../options/limits.js';
import type { RecordContent } from '../record/content.js';
import { OpeningHalf, SealingHalf } from '../record/half-connection.js';
import { RecordDecoder } from '../record/record.js';
import { ClientStreams } from '../streams/client-streams.js';
import { EventSequence } from '../streams/events/event-sequence.js';
import type { ServerStream } from '../streams/server-stream.js';
import { ServerStreams } from '../streams/server-streams.js';
import { Connection } from './connection.js';
import { createCodec } from './sealing.js';

const C2S = Buffer.alloc(32, 1);
const S2C = Buffer.alloc(32, 2);
const PEER = {
  unixMs: 0,
  maxMessageBytes: 1e7,
  maxInFlight: 64,
  maxIncompleteBytes: 1e7,
};
const open: Socket[] = [];

afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

async function socketPair(): Promise<[client: Socket, server: Socket]> {
  const listener = createServer(SOCKET_OPTIONS);
  const accepted = once(listener.listen(0, '127.0.0.1'), 'connection') as Promise<[Socket]>;
  await once(listener, 'listening');
  const client = connect({ port: (listener.address() as AddressInfo).port, host: '127.0.0.1', ...SOCKET_OPTIONS });
  const [server] = await accepted;
  listener.close();
  open.push(client, server);
  return [client, server];
}

interface Ended {
  readonly connection: Connection;
  /** The code it ended with, or `agreed`. */
  readonly ended: Promise<string>;
}

const codeOf = (error: TransportError | undefined): string => error?.code ?? 'agreed';

function serve(
  socket: Socket,
  options: LimitGroups = {},
): Ended & { requests: ServerStream[]; streams: ServerStreams; opened: Promise<void> } {
  const limits = resolveLimits(options);
  const requests: ServerStream[] = [];
  const handler = {
    onRequestBegun: (): void => undefined,
    onRequest: (stream: ServerStream): void => void requests.push(stream),
    onEvent: (): void => undefined,
    onNoMemory: (): void => undefined,
    onShutDown: (): void => undefined,
    onCancelled: (): void => undefined,
  };
  const streams = new ServerStreams({ own: limits, peer: PEER, maxQueuedBytes: limits.maxQueuedBytes, handler });
  const [opened, setOpened] = later<undefined>();
  const [ended, setEnded] = later<string>();
  const codec = afterConfirm(createCodec({ outgoingKey: S2C, incomingKey: C2S, keyId: S2C }, limits.key), () =>
    setOpened(undefined),
  );
  const events = { onClosed: (error: TransportError | undefined) => setEnded(codeOf(error)) };
  return {
    connection: new Connection({ role: 'server', socket, codec, streams, limits, events }),
    requests,
    streams,
    opened,
    ended,
  };
}

function call(
  socket: Socket,
  options: LimitGroups = {},
  goingAway: () => void = () => undefined,
  aged?: () => void,
): Ended & { streams: ClientStreams; ask: (bytes?: number) => Promise<string> } {
  const limits = resolveLimits(options);
  const { maxQueuedBytes, maxQueuedMessages } = limits;
  const streams = new ClientStreams({
    own: limits,
    peer: PEER,
    maxQueuedBytes,
    maxQueuedMessages,
    sequence: new EventSequence(),
  });
  const codec = createCodec({ outgoingKey: C2S, incomingKey: S2C, keyId: S2C }, limits.key);
  const [ended, setEnded] = later<string>();
  const closed = (error: TransportError | undefined): void => setEnded(codeOf(error));
  const events = { onGoingAway: goingAway, onClosed: closed, ...(aged === undefined ? {} : { onAged: aged }) };
  const connection = new Connection({ role: 'client', confirm: CONFIRM.body, socket, codec, streams, limits, events });
  const ask = (bytes = 1): Promise<string> => {
    const [answer, setAnswer] = later<string>();
    const fail = (error: TransportError): void => setAnswer(error.code);
    const sink = {
      next: () => setAnswer('value'),
      error: () => setAnswer('error'),
      complete: () => setAnswer('complete'),
      fail,
    };
    streams.open('REQUEST', encodeRequest({ timeoutMs: 0, pattern: 'p', data: Buffer.alloc(bytes) }), sink);
    return answer;
  };
  return { connection, streams, ask, ended };
}

function later<T>(): [Promise<T>, (value: T) => void] {
  let settle: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return [promise, settle];
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const ignore = (): void => undefined;

/** A client that sends any given records, sealed correctly. */
class RogueClient {
  readonly #half = new SealingHalf(C2S, resolveLimits({}).key, 0);
  readonly #opening = new OpeningHalf(S2C, resolveLimits({}).key, 0);
  readonly #decoder = new RecordDecoder();
  readonly types: number[] = [];

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      for (const body of recordBodies(this.#decoder, chunk)) this.types.push(this.#opening.open(body, 0).readUInt8(0));
    });
    socket.on('error', () => undefined);
  }

  say(...contents: readonly RecordContent[]): void {
    this.socket.write(this.sealed(...contents));
  }

  sealed(...contents: readonly RecordContent[]): Buffer {
    return Buffer.concat(contents.map((content) => sealRecord(this.#half, encodeContent(content))));
  }
}

/** More than a socket takes, in values that do not wait for credit. */
function answerWithMuch(stream: ServerStream): void {
  for (let i = 0; i < 3_000; i++) stream.next(encodeData(Buffer.alloc(16_000)), false);
}

/** Longer than any deadline, shorter than a key may be used. */
const HALF_AN_HOUR_MS = 1_800_000;
const PING_TYPE = 5;
const CONFIRM = { type: 'CONFIRM', body: Buffer.alloc(78, 3) } as const;
const CLOSE: RecordContent = { type: 'CLOSE', reason: 'done' };
const PING: RecordContent = { type: 'PING', token: Buffer.alloc(8, 1) };
const data = (frame: PlainFrame): RecordContent => ({ type: 'DATA', frames: encodeFrames([frame]) });
const request = (stream: number): RecordContent =>
  data(plainFrame('REQUEST', stream, { payload: bytesOf(encodeRequest({ timeoutMs: 0, pattern: 'p', data: 1 })) }));
const PIECE = Buffer.alloc(35_000);
const firstHalf = data(plainFrame('REQUEST', 1, { more: true, total: 2 * PIECE.length, payload: PIECE }));
const secondHalf = data(plainFrame('REQUEST', 1, { payload: PIECE }));

describe('a connection', () => {
  it('opens with CONFIRM, carries a request and its answer, and closes by agreement from either side', async () => {
    for (const closer of ['client', 'server'] as const) {
      const [near, far] = await socketPair();
      const server = serve(far);
      const client = call(near);
      await server.opened;
      const answer = client.ask(100_000);
      while (server.requests.length === 0) await once(far, 'data');
      for (const stream of server.requests) stream.next(encodeData(1), true);
      expect(await answer).toBe('value');
      await (closer === 'client' ? client : server).connection.close();
      expect([await client.ended, await server.ended]).toEqual(['agreed', 'agreed']);
    }
  });

  it('closes by agreement when both sides begin at the same time, and twice over', async () => {
    const [near, far] = await socketPair();
    const [server, client] = [serve(far), call(near)];
    await server.opened;
    const closers = [client, server, client, server].map(({ connection }) => connection.close());
    await Promise.all(closers);
    expect([await client.ended, await server.ended]).toEqual(['agreed', 'agreed']);
    await client.connection.close();
  });

  it.each(['client', 'server'] as const)(
    'closes by agreement if the %s has gone right after its CLOSE',
    async (closer) => {
      const [near, far] = await socketPair();
      const [server, client] = [serve(far), call(near)];
      await server.opened;
      const [gone, other] = closer === 'client' ? [client, server] : [server, client];
      void gone.connection.close();
      while (!gone.connection.hasSaidAll) await nextTurn();
      gone.connection.socket.resetAndDestroy(); // as the end of a process does to a socket with unread bytes
      expect(await other.ended).toBe('agreed');
    },
  );

  it('waits for running calls, and cuts them at the drain deadline', async () => {
    const [near, far] = await socketPair();
    const server = serve(far, { timeouts: { drainMs: 50 } });
    const client = call(near);
    const answer = client.ask();
    while (server.requests.length === 0) await once(far, 'data');
    await server.connection.close();
    expect(await answer).toBe('ERR_CONNECTION_CLOSED');
  });

  it.each([
    ['as the first record of a server that refuses the client', [], 'limit', false],
    ['after another record', [PING], 'limit', true],
    ['with another reason', [], 'goingAway', true],
  ] as const)(
    'reports whether a sealed request can have been served when CLOSE arrives %s',
    async (_when, before, reason, sent) => {
      const [near, far] = await socketPair();
      const { streams } = call(near);
      const [failed, setFailed] = later<TransportError>();
      const sink = { next: ignore, error: ignore, complete: ignore, fail: setFailed };
      streams.open('REQUEST', encodeRequest({ timeoutMs: 0, pattern: 'p', data: 1 }), sink);
      const half = new SealingHalf(S2C, resolveLimits({}).key, 0);
      for (const content of [...before, { type: 'CLOSE', reason } as const])
        far.write(sealRecord(half, encodeContent(content)));
      expect(await failed).toMatchObject({ sent });
    },
  );

  it('blames its own side, not the peer, for calls that a client cuts at its drain deadline', async () => {
    const [near, far] = await socketPair();
    const server = serve(far);
    const client = call(near, { timeouts: { drainMs: 50 } });
    const answer = client.ask();
    while (server.requests.length === 0) await once(far, 'data');
    await client.connection.close();
    expect(await answer).toBe('ERR_CLIENT_CLOSED');
  });

  it('has no drain deadline while its peer shuts down, because the peer cuts it [R5.28]', async () => {
    const time = FakeClock.install();
    const [near, far] = await socketPair();
    const server = serve(far, { timeouts: { drainMs: 20_000 } });
    const client = call(near, { timeouts: { drainMs: 1_000 } });
    const answer = client.ask();
    while (server.requests.length === 0) await once(far, 'data');
    void server.connection.close();
    while (client.connection.isOpen) await nextTurn();
    time.advance(19_999);
    for (const stream of server.requests) stream.next(encodeData(1), false);
    expect(await answer).toBe('value');
    expect(near.destroyed).toBe(false);
    time.advance(1);
    expect([await client.ended, await server.ended]).toEqual(['agreed', 'agreed']);
  });

  it.each(['client', 'server'] as const)(
    'lives until its last stream has ended when it drains because of its age, at the %s [R5.28]',
    async (oldSide) => {
      const time = FakeClock.install();
      const [near, far] = await socketPair();
      const server = serve(far, { timeouts: { pingIntervalMs: 0 } });
      const client = call(near, { timeouts: { pingIntervalMs: 0 } });
      const answer = client.ask();
      while (server.requests.length === 0) await once(far, 'data');
      (oldSide === 'client' ? client : server).connection.retire();
      while (client.connection.isOpen || server.connection.isOpen) await nextTurn();
      for (let hours = 1; hours <= 22; hours++) {
        time.advance(2 * HALF_AN_HOUR_MS);
        for (let turns = 0; turns < 20; turns++) await nextTurn(); // KEY_UPDATE is read
      }
      for (const stream of server.requests) stream.next(encodeData(1), true);
      expect(await answer).toBe('value');
      expect([await client.ended, await server.ended]).toEqual(['agreed', 'agreed']);
    },
  );

  it('draws its renewal time for each session and reports it; a server requests renewal later [R5.36]', async () => {
    const time = FakeClock.install();
    const ages: number[] = [];
    const startMs = clock.nowMs();
    const clients = [];
    for (let clientsMade = 0; clientsMade < 8; clientsMade++) {
      const [near, far] = await socketPair();
      const server = serve(far, { timeouts: { pingIntervalMs: 0, sessionSoftAgeMs: 75 * 60_000 } });
      clients.push({
        server,
        client: call(near, { timeouts: { pingIntervalMs: 0 } }, undefined, () => ages.push(clock.nowMs() - startMs)),
      });
      await server.opened;
    }
    time.advance(2 * HALF_AN_HOUR_MS);
    expect(ages).toHaveLength(8);
    expect(new Set(ages).size).toBe(8);
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(0.9 * 2 * HALF_AN_HOUR_MS);
    for (const { client, server } of clients)
      expect([client, server].map((side) => side.connection.isOpen)).toEqual([true, true]);
    time.advance(15 * 60_000);
    for (const { client, server } of clients) {
      expect(server.connection.isOpen).toBe(false);
      expect([await client.ended, await server.ended]).toEqual(['agreed', 'agreed']);
    }
  });

  it('fails pending calls when the peer disconnects without CLOSE', async () => {
    const [near, far] = await socketPair();
    const server = serve(far);
    const client = call(near);
    await server.opened;
    const answer = client.ask();
    far.end();
    expect(await answer).toBe('ERR_TRUNCATED');
    expect(await client.ended).toBe('ERR_TRUNCATED');
  });
});

describe('a connection whose deadline comes as the process wakes', () => {
  it('reads a PONG that has already arrived', async () => {
    const time = FakeClock.install();
    const [near, far] = await socketPair();
    const server = serve(far);
    const client = call(near);
    await server.opened;
    const roundTrip = client.connection.ping();
    await once(far, 'data');
    await nextTurn(); // the PONG is written, and not read
    time.stall(60_000);
    await expect(roundTrip).resolves.toBe(60_000);
    await nextTurn();
    expect(client.connection.isOpen).toBe(true);
  });
});

describe('an idle connection', () => {
  /** Both ends of one. */
  async function idle(limits: LimitGroups = {}, goingAway?: () => void) {
    const [near, far] = await socketPair();
    const server = serve(far, limits);
    const client = call(near, limits, goingAway);
    await server.opened;
    const answer = async (): Promise<void> => {
      while (server.requests.length === 0) await nextTurn();
      for (const stream of server.requests.splice(0)) stream.next(encodeData(1), true);
    };
    const served = async (): Promise<string> => {
      const answered = client.ask();
      await answer();
      return answered;
    };
    return { server, client, answer, served };
  }

  /** Waits until as many updates have been read, on both ends together. */
  function updatesRead(): (count: number) => Promise<void> {
    const updateKey = vi.spyOn(OpeningHalf.prototype, 'updateKey');
    onTestFinished(() => updateKey.mockRestore());
    return async (count) => {
      while (updateKey.mock.calls.length < count) await nextTurn();
    };
  }

  it('replaces its keys every hour without any traffic, and serves the next call [R5.27]', async () => {
    const time = FakeClock.install();
    const untilRead = updatesRead();
    const AGELESS = { sessionSoftAgeMs: MAX_TIMER_MS, sessionHardAgeMs: MAX_TIMER_MS };
    const { served } = await idle({ timeouts: { pingIntervalMs: 0, ...AGELESS } });
    for (let hours = 1; hours <= 24; hours++) {
      time.advance(2 * HALF_AN_HOUR_MS);
      await untilRead(2 * hours);
    }
    expect(await served()).toBe('value');
  });

  it('serves a call after a suspension beyond the hard age of its keys [R5.10, R5.27]', async () => {
    const time = FakeClock.install();
    const { served } = await idle({ timeouts: { pingIntervalMs: 0 } });
    expect(await served()).toBe('value');
    time.stall(6 * HALF_AN_HOUR_MS);
    expect(await served()).toBe('value');
  });

  it('is replaced before its peer accepts no further KEY_UPDATE, and loses no call in progress [R5.9]', async () => {
    const time = FakeClock.install();
    const untilRead = updatesRead();
    const goingAway = vi.fn<() => void>();
    const key = { softAgeMs: 1_000, hardAgeMs: 2_000 };
    const { client, server, answer } = await idle({ timeouts: { pingIntervalMs: 0 }, limits: { key } }, goingAway);
    const underWay = client.ask();
    while (server.requests.length === 0) await nextTurn();
    for (let updates = 1; updates <= 12; updates++) {
      time.advance(1_000);
      await untilRead(2 * updates);
    }
    expect(goingAway).toHaveBeenCalledTimes(1);
    await answer();
    expect(await underWay).toBe('value');
    expect(await Promise.all([client.ended, server.ended])).toEqual(['agreed', 'agreed']);
  });

  it('releases its ciphers a second after a record, and continues with the next', async () => {
    const time = FakeClock.install();
    const rests = [vi.spyOn(SealingHalf.prototype, 'hibernate'), vi.spyOn(OpeningHalf.prototype, 'hibernate')];
    onTestFinished(() => void vi.restoreAllMocks());
    const { served } = await idle();
    expect(await served()).toBe('value');
    time.advance(999);
    for (const rest of rests) expect(rest).not.toHaveBeenCalled();
    time.advance(1);
    for (const rest of rests) expect(rest).toHaveBeenCalledTimes(2); // at both ends
    expect(await served()).toBe('value');
  });
});

describe('two hundred idle connections', () => {
  it('hold one timer in all and no stream, and wake up and answer', async () => {
    const time = FakeClock.install();
    const pairs: { server: ReturnType<typeof serve>; client: ReturnType<typeof call> }[] = [];
    for (let made = 0; made < 200; made++) {
      const [near, far] = await socketPair();
      pairs.push({ server: serve(far), client: call(near) });
    }
    const served: WeakRef<ServerStream>[] = [];
    const answerAll = async (): Promise<void> => {
      const answers = pairs.map(({ client }) => client.ask());
      for (const { server } of pairs) {
        while (server.requests.length === 0) await nextTurn();
        for (const stream of server.requests.splice(0)) {
          served.push(new WeakRef(stream));
          stream.next(encodeData(1), true);
        }
      }
      expect(new Set(await Promise.all(answers))).toEqual(new Set(['value']));
    };
    await answerAll();
    time.advance(1_000);
    await nextTurn(); // a WeakRef holds what it was made of until the end of the turn
    collectGarbage();
    expect(served.filter((stream) => stream.deref() !== undefined)).toEqual([]);
    expect(time.timerCount).toBe(1);
    await answerAll();
  });
});

describe('a client’s connection', () => {
  it('sends only CLOSE when it closes without calls in progress', async () => {
    const [near, far] = await socketPair();
    const server = serve(far);
    const client = call(near);
    await server.opened;
    const before = near.bytesWritten;
    await client.connection.close();
    expect(near.bytesWritten - before).toBe(2 + 32); // the length, and one block with its tag
    expect([await client.ended, await server.ended]).toEqual(['agreed', 'agreed']);
  });

  it('answers GOAWAY with its own when it closes without calls in progress [R5.16]', async () => {
    const [near, far] = await socketPair();
    const server = serve(far);
    const client = call(near, {}, () => void client.connection.close());
    await server.opened;
    const before = near.bytesWritten;
    await server.connection.close();
    expect(near.bytesWritten - before).toBe(2 * (2 + 32)); // GOAWAY and CLOSE
    expect([await client.ended, await server.ended]).toEqual(['agreed', 'agreed']);
  });

  it('writes a large message immediately up to the limit of outstanding bytes, whatever else is in progress', async () => {
    const [near, far] = await socketPair();
    const server = serve(far);
    const client = call(near);
    await server.opened;
    for (let asked = 0; asked < 40; asked++) void client.ask(1_000);
    const before = near.bytesWritten;
    void client.ask(1_000_000);
    expect(near.bytesWritten).toBeGreaterThan(before + 262_144 - 40 * 1_100);
  });

  it('batches a quarter of the requests in progress, half if there are many, and writes a single one immediately', async () => {
    const [near, far] = await socketPair();
    const server = serve(far);
    const client = call(near);
    await server.opened;
    const written: number[] = [];
    for (let asked = 0; asked < 60; asked++) {
      const before = near.bytesWritten;
      void client.ask(1_000);
      written.push(Math.floor((near.bytesWritten - before) / 1_000));
    }
    expect(written.slice(0, 8)).toEqual([1, 1, 1, 1, 0, 2, 0, 2]);
    expect(Math.max(...written.slice(0, 31))).toBe(7);
    expect(Math.max(...written)).toBe(27);
  });

  it('writes a bounded part of a message in one turn, and the rest in later ones', async () => {
    const [near, far] = await socketPair();
    const server = serve(far, { limits: { maxMessageBytes: 6e6 } });
    const client = call(near);
    await server.opened;
    const before = near.bytesWritten;
    void client.ask(5_000_000);
    expect(near.bytesWritten - before).toBeLessThan(1_500_000);
    while (server.requests.length === 0) await once(far, 'data');
    expect(near.bytesWritten - before).toBeGreaterThan(5_000_000);
  });

  it('starts a waiting request as soon as an answer has freed its slot', async () => {
    const [near, far] = await socketPair();
    const server = serve(far, { limits: { maxInFlight: PEER.maxInFlight } });
    const client = call(near);
    const answers = Array.from({ length: 3 * PEER.maxInFlight }, () => client.ask());
    for (let served = 0; served < answers.length;) {
      while (server.requests.length === 0) await once(far, 'data');
      for (const stream of server.requests.splice(0)) {
        stream.next(encodeData(1), true);
        served += 1;
      }
    }
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['value']));
  });
});

describe('a server’s connection', () => {
  it.each<[string, readonly RecordContent[], string]>([
    ['a second CONFIRM', [CONFIRM, CONFIRM], 'ERR_RECORD_UNEXPECTED'],
    ['a second GOAWAY', [CONFIRM, { type: 'GOAWAY' }, { type: 'GOAWAY' }], 'ERR_RECORD_UNEXPECTED'],
    ['a new stream after GOAWAY', [CONFIRM, { type: 'GOAWAY' }, request(1)], 'ERR_FRAME_UNEXPECTED'],
    ['a second PING before the PONG', [CONFIRM, PING, PING], 'ERR_RECORD_UNEXPECTED'],
    ['an unsolicited PONG', [CONFIRM, { type: 'PONG', token: Buffer.alloc(8) }], 'ERR_RECORD_UNEXPECTED'],
    ['a record after CLOSE', [CONFIRM, CLOSE, PING], 'ERR_RECORD_UNEXPECTED'],
  ])('fails on %s', async (_what, contents, code) => {
    const [near, far] = await socketPair();
    const server = serve(far);
    new RogueClient(near).say(...contents);
    expect(await server.ended).toBe(code);
  });

  it('answers PING with PONG, and CLOSE with CLOSE and FIN', async () => {
    const [near, far] = await socketPair();
    const server = serve(far);
    const rogue = new RogueClient(near);
    rogue.say(CONFIRM, PING);
    await once(near, 'data');
    rogue.say(CLOSE);
    await once(near, 'end');
    expect(rogue.types).toEqual([6, 3]);
    near.end();
    expect(await server.ended).toBe('agreed');
  });

  it.each<[string, LimitGroups, readonly RecordContent[], Buffer, string]>([
    ['in the middle of a record', { timeouts: { recordMs: 20 } }, [CONFIRM], Buffer.of(0, 48, 1), 'ERR_RECORD_STALLED'],
    [
      'in the middle of a message',
      { timeouts: { messageMs: 20 } },
      [CONFIRM, firstHalf],
      Buffer.alloc(0),
      'ERR_MESSAGE_STALLED',
    ],
    ['without PONG', { timeouts: { pingIntervalMs: 5, pongMs: 20 } }, [CONFIRM], Buffer.alloc(0), 'ERR_PING_TIMEOUT'],
    [
      'beyond the age of a session',
      { timeouts: { sessionSoftAgeMs: 20, sessionHardAgeMs: 20 } },
      [CONFIRM],
      Buffer.alloc(0),
      'ERR_SESSION_EXPIRED',
    ],
  ])('ends a peer that remains silent %s', async (_what, limits, contents, rest, code) => {
    const [near, far] = await socketPair();
    const server = serve(far, limits);
    const rogue = new RogueClient(near);
    if (contents.length > 0) rogue.say(...contents);
    near.write(rest);
    expect(await server.ended).toBe(code);
  });

  it.each<[string, LimitGroups, readonly RecordContent[], number, readonly number[]]>([
    ['in the middle of a record', { timeouts: { recordMs: 0, pingIntervalMs: 0 } }, [], 5, []],
    ['in the middle of a message', { timeouts: { messageMs: 0, pingIntervalMs: 0 } }, [firstHalf], 0, []],
    ['without a PING', { timeouts: { pingIntervalMs: 0 } }, [], 0, []],
    ['without a PONG, and sends one PING', { timeouts: { pongMs: 0 } }, [], 0, [PING_TYPE]],
  ])('waits without a limit if the deadline is 0, %s', async (_what, limits, begun, bytesAhead, heard) => {
    const time = FakeClock.install();
    const [near, far] = await socketPair();
    const server = serve(far, limits);
    const rogue = new RogueClient(near);
    const early = rogue.sealed(CONFIRM, ...begun);
    const bytes = Buffer.concat([early, rogue.sealed(begun.length === 0 ? request(1) : secondHalf)]);
    near.write(bytes.subarray(0, early.length + bytesAhead));
    await once(far, 'data');
    time.advance(HALF_AN_HOUR_MS);
    near.write(bytes.subarray(early.length + bytesAhead));
    await once(far, 'data');
    expect(server.requests.length).toBe(1);
    expect(server.connection.isOpen).toBe(true);
    await vi.waitUntil(() => rogue.types.length >= heard.length);
    expect(rogue.types).toEqual(heard);
  });

  it('ends a peer that blocks by withholding CREDIT if timeouts.writeMs is 0 [R5.32]', async () => {
    const time = FakeClock.install();
    const [near, far] = await socketPair();
    const server = serve(far, { timeouts: { writeMs: 0, pingIntervalMs: 0 } });
    const rogue = new RogueClient(near);
    rogue.say(CONFIRM, request(1));
    while (server.requests.length === 0) await once(far, 'data');
    near.pause();
    for (const stream of server.requests) answerWithMuch(stream);
    while (!far.writableNeedDrain) await nextTurn();
    time.advance(59_999);
    expect(server.connection.isOpen).toBe(true);
    time.advance(1);
    expect(await server.ended).toBe('ERR_CREDIT_STALLED');
  });

  it('requests renewal at the soft age of a session', async () => {
    const [near, far] = await socketPair();
    const server = serve(far, { timeouts: { sessionSoftAgeMs: 20 } });
    call(near);
    expect(await server.ended).toBe('agreed');
  });

  it('ends a peer that reads nothing while answers wait, and respects its memory bound until then', async () => {
    const [near, far] = await socketPair();
    const server = serve(far, { timeouts: { writeMs: 100 } });
    const rogue = new RogueClient(near);
    rogue.say(CONFIRM, request(1));
    while (server.requests.length === 0) await once(far, 'data');
    near.pause();
    for (const stream of server.requests) answerWithMuch(stream);
    expect(await server.ended).toBe('ERR_WRITE_STALLED');
    expect(far.writableLength).toBeLessThan(2 * 262_144);
  });
});
