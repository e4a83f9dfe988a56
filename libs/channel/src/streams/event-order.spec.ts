// The order of the events of one client at one server, over several connections (docs/protocol.md §6.7).
import { beforeEach, describe, expect, it } from 'vitest';

import { asReceived, drainFrames, plainFrame } from '../../../../test/support/frames.js';
import { TransportError } from '../errors.js';
import { OutgoingMessage } from '../sending/outgoing-message.js';
import type { AnswerSink, ClientStream } from './client-stream.js';
import { ClientStreams } from './client-streams.js';
import { EventSequence } from './events/event-sequence.js';

const PEER = { maxMessageBytes: 1_000_000, maxIncompleteBytes: 1_000_000, maxIncompleteBytesTotal: Infinity };
const LOST = new TransportError('ERR_CONNECTION_LOST', 'lost');
/** More than there are events. */
const TURNS = 10;

/** The names of the events that were sealed, on any connection. */
let sealed: string[];
let sequence: EventSequence;
let old: ClientStreams;
let next: ClientStreams;

/** A connection with one slot. */
function connection(): ClientStreams {
  const queues = { maxQueuedMessages: 100, maxQueuedBytes: 1_000_000 };
  return new ClientStreams({ own: PEER, peer: { ...PEER, maxInFlight: 1 }, sequence, ...queues });
}

/** An event that, like a call of a client, opens again on the next connection if it was not sent. */
class MovingEvent implements AnswerSink {
  readonly stream: ClientStream;
  readonly #name: string;
  readonly #message: OutgoingMessage;

  constructor(name: string, streams: ClientStreams, bytes = 10) {
    this.#name = name;
    this.#message = new OutgoingMessage(Buffer.of(0), Buffer.alloc(bytes));
    this.stream = streams.open('EVENT', this.#message, this);
  }

  sealed(): void {
    sealed.push(this.#name);
  }

  fail({ sent }: TransportError): void {
    if (sent === false) next.open('EVENT', this.#message, this);
  }

  next(): void {}
  error(): void {}
  complete(): void {}
}

function emit(name: string, streams: ClientStreams, bytes?: number): MovingEvent {
  return new MovingEvent(name, streams, bytes);
}

const noSink: AnswerSink = { next: () => {}, error: () => {}, complete: () => {}, fail: () => {} };

/** Takes the slot of the old connection. @returns A function that frees it. */
function hold(): () => void {
  old.open('REQUEST', new OutgoingMessage(Buffer.of(0), Buffer.alloc(1)), noSink);
  drainFrames(old);
  return () => old.receive(asReceived(plainFrame('COMPLETE', 1)), 0);
}

/** Acknowledges an event after the other until none is left. */
function run(): void {
  for (let turn = 0; turn < TURNS; turn++)
    for (const streams of [next, old])
      for (const { stream } of drainFrames(streams)) streams.receive(asReceived(plainFrame('ACK', stream)), 0);
}

beforeEach(() => {
  sealed = [];
  sequence = new EventSequence();
  old = connection();
  next = connection();
});

describe('an event on the next connection', () => {
  it('is sent after the events that wait for a slot of the old one', () => {
    const free = hold();
    emit('a', old);
    emit('b', next);
    run();
    expect(sealed).toEqual([]);
    free();
    run();
    expect(sealed).toEqual(['a', 'b']);
  });

  it('is sent as soon as the waiting one is cancelled', () => {
    hold();
    const { stream } = emit('a', old);
    emit('b', next);
    old.cancel(stream);
    run();
    expect(sealed).toEqual(['b']);
  });

  it.each([
    ['takes no more streams', (): void => old.stopOpening()],
    ['is lost', (): void => old.end(() => LOST)],
  ])('is sent after the waiting ones that move to it because the old one %s', (_what, leave) => {
    hold();
    for (const name of ['a', 'b', 'c']) emit(name, old);
    for (const name of ['d', 'e']) emit(name, next);
    leave();
    run();
    expect(sealed).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it.each([
    ['takes no more streams', (): void => old.stopOpening()],
    ['is lost', (): void => old.end(() => LOST)],
  ])('is sent after one that has a slot of the old one and was not sealed there when it %s', (_what, leave) => {
    emit('a', old);
    for (const name of ['b', 'c']) emit(name, old);
    emit('d', next);
    leave();
    run();
    expect(sealed).toEqual(['a', 'b', 'c', 'd']);
  });

  it('is sent after the waiting ones that the next one takes over, although the slot of the old one stays taken', () => {
    hold();
    const [, cancelled] = ['a', 'b', 'c'].map((name) => emit(name, old));
    emit('d', next);
    next.takeEventsOf(old);
    if (cancelled !== undefined) old.cancel(cancelled.stream); // by its caller, who knows only the old connection
    expect([old.hasUnopened, next.queuedCount]).toEqual([false, 2]);
    run();
    expect(sealed).toEqual(['a', 'c', 'd']);
  });

  it('does not wait for a large one, nor for a slot that it does not need', () => {
    hold();
    emit('large', old, 100_000);
    emit('b', next);
    run();
    expect(sealed).toEqual(['b']);
  });
});
