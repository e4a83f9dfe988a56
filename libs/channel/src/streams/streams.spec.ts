import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { asReceived, drainFrames as drain, messageOf, nextFrame, plainFrame } from '../../../../test/support/frames.js';
import type { PlainFrame } from '../../../../test/support/frames.js';
import { encodeEvent, encodeRequest } from '../../../transport/src/packet/message.js';
import { TransportError } from '../errors.js';
import type { Frame } from '../frame/frame.js';
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import type { AnswerSink, ClientStream } from './client-stream.js';
import { ClientStreams } from './client-streams.js';
import { EventSequence } from './events/event-sequence.js';
import type { ServerStream } from './server-stream.js';
import { ServerStreams } from './server-streams.js';
import type { Streams } from './streams.js';

const PEER = {
  maxMessageBytes: 1_000_000,
  maxIncompleteBytes: 65_536,
  maxIncompleteBytesTotal: Infinity,
  maxInFlight: 4,
};
const unexpected = expect.objectContaining({ code: 'ERR_FRAME_UNEXPECTED' });
const request = (bytes = 1): OutgoingMessage =>
  encodeRequest({ timeoutMs: 0, pattern: 'p', data: Buffer.alloc(bytes) });
const event = (): OutgoingMessage => encodeEvent({ pattern: 'p', data: 1 });
const frame = (kind: Frame['kind'], stream: number, fields: Partial<PlainFrame> = {}): Frame =>
  asReceived(plainFrame(kind, stream, fields));
const FIRST = { more: true, total: 70_000 };

/** Notes its calls as words. */
class Heard implements AnswerSink {
  readonly words: string[] = [];
  next(_data: Buffer, last: boolean): void {
    this.words.push(last ? 'last' : 'next');
  }
  error(): void {
    this.words.push('error');
  }
  complete(): void {
    this.words.push('complete');
  }
  fail(error: TransportError): void {
    this.words.push(`${error.code} ${error.sent}`);
  }
}

function client(options: { firstId?: number; maxQueuedMessages?: number; maxInFlight?: number } = {}): ClientStreams {
  const { maxQueuedMessages = 8, maxInFlight = 4, ...rest } = options;
  const sequence = new EventSequence();
  const limits = { maxQueuedMessages, maxQueuedBytes: 1_000_000, sequence };
  return new ClientStreams({ own: PEER, peer: { ...PEER, maxInFlight }, ...limits, ...rest });
}

/** A client with one request whose first frame was sealed, as stream 1. */
function asked(): { streams: ClientStreams; stream: ClientStream; heard: Heard } {
  const streams = client();
  const heard = new Heard();
  const stream = streams.open('REQUEST', request(), heard);
  drain(streams);
  return { streams, stream, heard };
}

class Server {
  readonly requests: ServerStream[] = [];
  readonly events: ServerStream[] = [];
  readonly cancelled: ServerStream[] = [];
  readonly streams: ServerStreams;

  constructor({ maxQueuedBytes = 1_000 } = {}) {
    this.streams = new ServerStreams({
      own: PEER,
      peer: PEER,
      maxQueuedBytes,
      handler: {
        onRequestBegun: () => undefined,
        onRequest: (stream) => this.requests.push(stream),
        onEvent: (stream) => this.events.push(stream),
        onNoMemory: () => undefined,
        onShutDown: () => undefined,
        onCancelled: (stream) => this.cancelled.push(stream),
      },
    });
  }
}

describe('ClientStreams', () => {
  it.each(['REQUEST', 'EVENT', 'CANCEL'] as const)('refuses %s from a server', (kind) => {
    expect(() => asked().streams.receive(frame(kind, 1), 0)).toThrow(unexpected);
  });

  it.each(['NEXT', 'ERROR', 'COMPLETE', 'ACK'] as const)('refuses %s for a stream that was never opened', (kind) => {
    expect(() => asked().streams.receive(frame(kind, 2), 0)).toThrow(unexpected);
  });

  it('refuses ACK for a request, and NEXT and COMPLETE for an event [R6.14]', () => {
    expect(() => asked().streams.receive(frame('ACK', 1), 0)).toThrow(unexpected);
    const streams = client();
    streams.open('EVENT', event(), new Heard());
    drain(streams);
    expect(() => streams.receive(frame('NEXT', 1), 0)).toThrow(unexpected);
    expect(() => streams.receive(frame('COMPLETE', 1), 0)).toThrow(unexpected);
  });

  it('delivers values in order and the end once, and drops late frames', () => {
    const { streams, heard } = asked();
    streams.receive(frame('NEXT', 1), 0);
    streams.receive(frame('NEXT', 1, { last: true }), 0);
    for (const kind of ['NEXT', 'ERROR', 'COMPLETE'] as const) streams.receive(frame(kind, 1), 0);
    expect(heard.words).toEqual(['next', 'last']);
    expect(streams.isIdle).toBe(true);
  });

  it('drops a value in progress when the error arrives', () => {
    const { streams, heard } = asked();
    streams.receive(frame('NEXT', 1, FIRST), 0);
    streams.receive(frame('ERROR', 1, { ...FIRST, payload: Buffer.alloc(40_000, 2) }), 0);
    streams.receive(frame('ERROR', 1, { payload: Buffer.alloc(30_000, 2) }), 0);
    expect(heard.words).toEqual(['error']);
    expect(streams.hasIncomplete).toBe(false);
  });

  it('never exceeds the in-flight limit of the server, and begins in order as slots become free', () => {
    const streams = client();
    const sinks = Array.from({ length: 6 }, () => new Heard());
    for (const sink of sinks) streams.open('REQUEST', request(), sink);
    expect(drain(streams).map(({ stream }) => stream)).toEqual([1, 2, 3, 4]);
    streams.receive(frame('COMPLETE', 3), 0);
    expect(drain(streams).map(({ stream }) => stream)).toEqual([5]);
  });

  it('refuses calls beyond its queue limit', () => {
    const streams = client({ maxQueuedMessages: 2 });
    for (let i = 0; i < 6; i++) streams.open('REQUEST', request(), new Heard());
    const full = expect.objectContaining({ code: 'ERR_QUEUE_FULL', sent: false });
    expect(() => streams.open('REQUEST', request(), new Heard())).toThrow(full);
  });

  it('takes a call of another connection beyond its queue limit', () => {
    const streams = client({ maxQueuedMessages: 1 });
    for (let i = 0; i < 5; i++) streams.open('REQUEST', request(), new Heard());
    const moved = request();
    moved.hasPlace = true;
    streams.open('REQUEST', moved, new Heard());
    expect(streams.queuedCount).toBe(2);
  });

  it('refuses a message that the server would not accept', () => {
    const tooLarge = expect.objectContaining({ code: 'ERR_MESSAGE_TOO_LARGE', sent: false });
    expect(() => client().open('REQUEST', request(1_000_000), new Heard())).toThrow(tooLarge);
  });

  it('sends CANCEL only for a stream whose first frame was sealed, and keeps the slot until then', () => {
    const streams = client({ maxInFlight: 1 });
    const first = streams.open('REQUEST', request(), new Heard());
    const queued = streams.open('REQUEST', request(), new Heard());
    streams.cancel(first);
    expect(drain(streams).map(({ kind, stream }) => `${kind} ${stream}`)).toEqual(['REQUEST 1']);
    streams.cancel(queued);
    streams.cancel(queued);
    streams.open('REQUEST', request(), new Heard());
    expect(drain(streams).map(({ kind, stream }) => `${kind} ${stream}`)).toEqual(['CANCEL 1', 'REQUEST 2']);
  });

  it('stops sending a request that has its final answer', () => {
    const streams = client();
    const heard = new Heard();
    streams.open('REQUEST', request(100_000), heard);
    expect(nextFrame(streams)).toMatchObject({ more: true });
    streams.receive(frame('ERROR', 1), 0);
    expect(drain(streams)).toEqual([]);
    expect(heard.words).toEqual(['error']);
    expect(streams.isIdle).toBe(true);
  });

  it('reports of every failure whether the message was sent', () => {
    const { streams, heard } = asked();
    const others = Array.from({ length: 6 }, () => new Heard());
    for (const sink of others) streams.open('REQUEST', request(), sink);
    streams.stopOpening();
    expect(others.map(({ words }) => words)).toEqual(others.map(() => ['ERR_CONNECTION_DRAINING false']));
    expect(heard.words).toEqual([]);
    streams.end(() => ({ ofMessage: (sent: boolean) => ({ code: 'ERR_TRUNCATED', sent }) }) as TransportError);
    expect(heard.words).toEqual(['ERR_TRUNCATED true']);
  });

  it('opens nothing beyond the last stream id, and reports it in advance', () => {
    const streams = client({ firstId: 0xffff_ffff });
    expect(streams.isNearlyExhausted).toBe(true);
    streams.open('REQUEST', request(), new Heard());
    expect(drain(streams)[0]?.stream).toBe(0xffff_ffff);
    expect(() => streams.open('REQUEST', request(), new Heard())).toThrow(
      expect.objectContaining({ code: 'ERR_STREAMS_EXHAUSTED', sent: false }),
    );
  });
});

describe('ServerStreams', () => {
  it.each(['NEXT', 'ERROR', 'COMPLETE', 'ACK'] as const)('refuses %s from a client', (kind) => {
    expect(() => new Server().streams.receive(frame(kind, 1), 0)).toThrow(unexpected);
  });

  it('refuses CANCEL for a stream that was never opened, and a second message on a stream', () => {
    const { streams } = new Server();
    expect(() => streams.receive(frame('CANCEL', 1), 0)).toThrow(unexpected);
    streams.receive(frame('REQUEST', 1), 0);
    expect(() => streams.receive(frame('REQUEST', 1), 0)).toThrow(unexpected);
  });

  it('refuses a fragment of another kind, a stream beyond the slots, and one after GOAWAY', () => {
    const { streams } = new Server();
    streams.receive(frame('REQUEST', 1, FIRST), 0);
    expect(() => streams.receive(frame('EVENT', 1), 0)).toThrow(unexpected);
    for (const id of [2, 3, 4]) streams.receive(frame('REQUEST', id), 0);
    expect(() => streams.receive(frame('REQUEST', 5), 0)).toThrow(
      expect.objectContaining({ code: 'ERR_IN_FLIGHT_LIMIT' }),
    );
    streams.stopOpening();
    expect(() => streams.receive(frame('REQUEST', 9), 0)).toThrow(unexpected);
  });

  it('drops late frames of closed streams and of gaps', () => {
    const server = new Server();
    server.streams.receive(frame('REQUEST', 7), 0);
    server.streams.receive(frame('CANCEL', 7), 0);
    for (const late of [frame('REQUEST', 7, FIRST), frame('CANCEL', 7), frame('REQUEST', 3)]) {
      server.streams.receive(late, 0);
    }
    expect(server.requests).toHaveLength(1);
    expect(server.cancelled).toHaveLength(1);
    expect(server.streams.hasIncomplete).toBe(false);
    expect(server.streams.isIdle).toBe(true);
  });

  it('sends LAST on a waiting value, and COMPLETE if none waits', () => {
    const server = new Server();
    server.streams.receive(frame('REQUEST', 1), 0);
    const [stream] = server.requests;
    if (stream === undefined) throw new TypeError('the request was not handed over');
    stream.next(messageOf(Buffer.of(2)), false);
    expect(drain(server.streams)).toMatchObject([{ kind: 'NEXT', last: false }]);
    stream.complete();
    expect(drain(server.streams)).toMatchObject([{ kind: 'COMPLETE' }]);
    expect(server.streams.isIdle).toBe(true);
    stream.next(messageOf(Buffer.of(2)), false);
    expect(drain(server.streams)).toEqual([]);
  });

  it('refuses an answer beyond the queue limit, and ends it with an error ahead of the rest', () => {
    const server = new Server();
    server.streams.receive(frame('REQUEST', 1), 0);
    const [stream] = server.requests;
    if (stream === undefined) throw new TypeError('the request was not handed over');
    stream.next(messageOf(Buffer.alloc(900)), false);
    expect(() => stream.next(messageOf(Buffer.alloc(200)), false)).toThrow(
      expect.objectContaining({ code: 'ERR_ANSWER_OVERFLOW' }),
    );
    stream.fail(messageOf(Buffer.of(2)));
    expect(drain(server.streams)).toMatchObject([{ kind: 'ERROR' }]);
  });
});

describe('both sides together', () => {
  it('release the room of a value that an error cut off only after that error [R6.18]', () => {
    const near = client();
    const far = new Server({ maxQueuedBytes: 500_000 });
    for (let i = 0; i < 2; i++) near.open('REQUEST', request(), new Heard());
    for (const sent of drain(near)) far.streams.receive(asReceived(sent), 0);
    const [first, second] = far.requests;
    if (first === undefined || second === undefined) throw new TypeError('a request was not handed over');
    first.next(messageOf(Buffer.alloc(200_000, 2)), false);
    for (let i = 0; i < 3; i++) near.receive(asReceived(nextFrame(far.streams) as PlainFrame), 0);
    second.next(messageOf(Buffer.alloc(200_000, 2)), false);
    first.fail(messageOf(Buffer.of(2)));
    const rest = drain(far.streams);
    expect(rest.slice(0, 2)).toMatchObject([
      { kind: 'ERROR', stream: 1 },
      { kind: 'NEXT', stream: 2 },
    ]);
    for (const sent of rest) near.receive(asReceived(sent), 0);
    expect(near.hasIncomplete).toBe(false);
  });

  it('agree that no stream is open once every frame has crossed, in any order of cancels and answers', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('ask' as const), bytes: fc.constantFrom(1, 20_000, 100_000) }),
      fc.record({
        do: fc.constantFrom('cancel' as const, 'answer' as const, 'stream' as const, 'fail' as const),
        at: fc.nat(),
      }),
      fc.record({
        do: fc.constantFrom('toServer' as const, 'toClient' as const),
        frames: fc.integer({ min: 1, max: 5 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const near = client({ maxQueuedMessages: 1_000 });
        const far = new Server();
        const opened: [ClientStream, Heard][] = [];
        const carry = (from: Streams, to: Streams, count: number): void => {
          for (let i = 0; i < count; i++) {
            const next = nextFrame(from);
            if (next !== undefined) to.receive(asReceived(next), 0);
          }
        };
        for (const action of steps) {
          if ('bytes' in action) {
            const heard = new Heard();
            opened.push([near.open('REQUEST', request(action.bytes), heard), heard]);
          } else if ('frames' in action && action.do === 'toServer') carry(near, far.streams, action.frames);
          else if ('frames' in action) carry(far.streams, near, action.frames);
          else if (action.do === 'cancel') {
            const [stream] = opened[action.at % (opened.length || 1)] ?? [];
            if (stream !== undefined) near.cancel(stream);
          } else if ('at' in action) {
            const stream = far.requests[action.at % (far.requests.length || 1)];
            if (stream === undefined) continue;
            if (action.do === 'answer') stream.complete();
            else if (action.do === 'fail') stream.fail(messageOf(Buffer.of(2)));
            else if (stream.isRunning) stream.next(messageOf(Buffer.alloc(100)), false);
          }
        }
        for (let round = 0; round < 400 && !(near.isIdle && far.streams.isIdle); round++) {
          carry(near, far.streams, 50);
          for (const stream of far.requests) stream.complete();
          carry(far.streams, near, 50);
        }
        expect([near.isIdle, far.streams.isIdle, near.openCount, far.streams.openCount]).toEqual([true, true, 0, 0]);
        expect(near.hasIncomplete || far.streams.hasIncomplete).toBe(false);
        for (const [, { words }] of opened)
          expect(words.filter((word) => word !== 'next').length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 150 },
    );
  });
});

describe('one side with arbitrary frames', () => {
  const VIOLATION = /^ERR_(FRAME_UNEXPECTED|IN_FLIGHT_LIMIT|INCOMPLETE_LIMIT|MESSAGE_TOO_LARGE)$/;
  const kinds = ['REQUEST', 'EVENT', 'NEXT', 'ERROR', 'COMPLETE', 'CANCEL', 'ACK'] as const;
  const step = fc.record({
    frame: fc.constantFrom(...kinds),
    stream: fc.integer({ min: 1, max: 9 }),
    flag: fc.nat({ max: 3 }),
    bytes: fc.constantFrom(1, 30_000, 40_000),
    own: fc.nat({ max: 3 }),
  });

  type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

  /** Gives the frames to `streams`, with something that `act` does before each, until one is a violation. */
  function play(streams: Streams, steps: readonly Step[], act: (choice: number) => void): void {
    for (const { frame: kind, stream, flag, bytes, own } of steps) {
      act(own);
      const isSignal = kind === 'COMPLETE' || kind === 'CANCEL' || kind === 'ACK';
      const fields = isSignal
        ? {}
        : {
            payload: Buffer.alloc(bytes, 2),
            more: flag === 1 || flag === 3,
            last: flag === 2 && kind === 'NEXT',
            total: flag === 3 ? 70_000 : 0,
          };
      try {
        streams.receive(frame(kind, stream, fields), 0);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(VIOLATION) });
        return;
      }
    }
  }

  it('accepts them or names the violation, and a server never has more streams than its limit', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const server = new Server({ maxQueuedBytes: 1_000_000 });
        play(server.streams, steps, (choice) => {
          const stream = server.requests.at(-1);
          if (choice === 1) nextFrame(server.streams);
          if (choice === 2 && stream !== undefined) stream.next(messageOf(Buffer.alloc(20_000, 2)), false);
          if (choice === 3 && stream !== undefined) stream.complete();
          expect(server.streams.openCount).toBeLessThanOrEqual(PEER.maxInFlight);
        });
        server.streams.end();
        expect([server.streams.isIdle, server.streams.hasIncomplete]).toEqual([true, false]);
      }),
      { numRuns: 200 },
    );
  });

  it('ends every call of a client at most once, and has no state of them at the end', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const streams = client({ maxQueuedMessages: 100 });
        const opened: [ClientStream, Heard][] = [];
        play(streams, steps, (choice) => {
          const heard = new Heard();
          if (choice === 1) opened.push([streams.open('REQUEST', request(20_000), heard), heard]);
          if (choice === 2) nextFrame(streams);
          if (choice === 3 && opened[0] !== undefined) streams.cancel(opened[0][0]);
          expect(streams.openCount).toBeLessThanOrEqual(PEER.maxInFlight);
        });
        streams.end(() => new TransportError('ERR_TRUNCATED', 'The stream ended'));
        expect([streams.isIdle, streams.hasIncomplete]).toEqual([true, false]);
        for (const [, { words }] of opened)
          expect(words.filter((word) => word !== 'next').length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 200 },
    );
  });
});
