// The events of a lost connection (docs/protocol.md §6.7), over several connections of one client.
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
import { asReceived, drainFrames, nextFrame, plainFrame } from '../../../../test/support/frames.js';
import type { PlainFrame } from '../../../../test/support/frames.js';
import { encodeEvent, encodeRequest } from '../../../transport/src/packet/message.js';
import { EventSequences, SEND_AGAIN_MS } from '../client/event-sequences.js';
import { clock } from '../clock.js';
import { thisMoment } from '../moment.js';
import { TransportError } from '../errors.js';
import type { AnswerSink, ClientStream } from './client-stream.js';
import { ClientStreams } from './client-streams.js';
import type { ClientStreamsOptions } from './client-streams.js';
import type { EventSequence } from './events/event-sequence.js';

const PEER = {
  maxMessageBytes: 1_000_000,
  maxIncompleteBytes: 1_000_000,
  maxIncompleteBytesTotal: Infinity,
  maxInFlight: 8,
};
const LOST = new TransportError('ERR_CONNECTION_LOST', 'lost');

/** One caller: how its event has ended. */
class Heard implements AnswerSink {
  readonly words: string[] = [];
  next(): void {}
  error(): void {
    this.words.push('refused');
  }
  complete(): void {
    this.words.push('acknowledged');
  }
  fail({ code, sent }: TransportError): void {
    this.words.push(`${code} ${sent}`);
  }
}

let time: FakeClock;
let sequence: EventSequence;
let kept: number;

beforeEach(() => {
  time = FakeClock.install();
  sequence = new EventSequences().of('server');
  kept = 0;
});

/** A connection that takes the events of lost ones. */
function connection(options: Partial<ClientStreamsOptions> = {}): ClientStreams {
  const queues = { maxQueuedMessages: 100, maxQueuedBytes: 1_000_000 };
  const streams = new ClientStreams({
    own: PEER,
    peer: PEER,
    sequence,
    openedAt: thisMoment(),
    ...queues,
    onKept: () => (kept += 1),
    ...options,
  });
  streams.takeKept();
  return streams;
}

function emit(streams: ClientStreams, data: unknown = 1): { readonly stream: ClientStream; readonly heard: Heard } {
  const heard = new Heard();
  return { stream: streams.open('EVENT', encodeEvent({ pattern: 'p', data }), heard), heard };
}

function lose(streams: ClientStreams, error = LOST): void {
  streams.end(() => error, thisMoment());
}

const sequenceOf = ({ payload }: PlainFrame): number => payload.readUInt32BE(4);
const sequencesOf = (streams: ClientStreams): number[] => drainFrames(streams).map(sequenceOf);
const acknowledge = (streams: ClientStreams, stream: number): void =>
  streams.receive(asReceived(plainFrame('ACK', stream)), 0);

describe('an event whose connection is lost', () => {
  const large = Buffer.alloc(200_000, 7);

  it.each([
    ['waits for a slot', ['ERR_CONNECTION_LOST false'], (): void => undefined, 0],
    ['has a slot and is not sealed', ['ERR_CONNECTION_LOST false'], (): void => undefined, 8],
    ['is sealed in part', [], (streams: ClientStreams) => void nextFrame(streams), 8],
    ['is sealed', [], (streams: ClientStreams) => void drainFrames(streams), 8],
    [
      'is acknowledged',
      ['acknowledged'],
      (streams: ClientStreams) => {
        drainFrames(streams);
        acknowledge(streams, 1);
      },
      8,
    ],
    [
      'is refused',
      ['refused'],
      (streams: ClientStreams) => {
        drainFrames(streams);
        streams.receive(asReceived(plainFrame('ERROR', 1)), 0);
      },
      8,
    ],
  ])('ends as it must if it %s: %j', (_when, words, act, maxInFlight) => {
    const old = connection({ peer: { ...PEER, maxInFlight } });
    const { heard } = emit(old, large);
    act(old);
    lose(old);
    expect(heard.words).toEqual(words);
    expect([sequence.keptCount, kept]).toEqual(words.length === 0 ? [1, 1] : [0, 0]);
    const again = drainFrames(connection());
    expect(Buffer.concat(again.map(({ payload }) => payload)).length).toBe(words.length === 0 ? 200_014 : 0);
    expect(old.isIdle).toBe(true);
  });

  it('is sent again whole, with its sequence and bytes, and is then acknowledged [R6.24]', () => {
    const old = connection();
    emit(old);
    acknowledge(old, nextFrame(old)?.stream ?? 0);
    const { heard } = emit(old, large);
    const before = Buffer.concat([nextFrame(old), ...drainFrames(old)].map((frame) => frame?.payload ?? large));
    lose(old);
    const next = connection();
    const after = Buffer.concat(drainFrames(next).map(({ payload }) => payload));
    expect(after).toEqual(before);
    expect(after.readUInt32BE(4)).toBe(1);
    expect(heard.words).toEqual([]);
    acknowledge(next, 1);
    expect([heard.words, next.isIdle, sequence.keptCount]).toEqual([['acknowledged'], true, 0]);
  });

  it('is given up if it was cancelled and CANCEL was not sealed', () => {
    const old = connection();
    const { stream, heard } = emit(old);
    drainFrames(old);
    old.cancel(stream);
    lose(old);
    const next = connection({ peer: { ...PEER, maxInFlight: 1 } });
    emit(next);
    expect([sequence.keptCount, heard.words, sequencesOf(next)]).toEqual([0, [], [1]]);
  });

  it('is not kept if this side has closed the connection', () => {
    const old = connection();
    const { heard } = emit(old);
    drainFrames(old);
    lose(old, new TransportError('ERR_CLIENT_CLOSED', 'closed'));
    expect([heard.words, sequence.keptCount, kept]).toEqual([['ERR_CLIENT_CLOSED true'], 0, 0]);
  });

  it('was not handed over if the server turned the connection away, unless it was sent before', () => {
    const full = new TransportError('ERR_OVERLOADED', 'full', { sent: false });
    const old = connection();
    const first = emit(old);
    drainFrames(old);
    lose(old);
    const turnedAway = connection();
    const second = emit(turnedAway);
    expect(sequencesOf(turnedAway)).toEqual([0, 1]);
    lose(turnedAway, full);
    expect([first.heard.words, second.heard.words]).toEqual([[], ['ERR_OVERLOADED false']]);
    sequence.giveUp();
    expect(first.heard.words).toEqual(['ERR_CONNECTION_LOST true']);
  });
});

describe('the events of a lost connection', () => {
  it('are sent again in ascending order, before new ones, on a connection that is open already [R6.24]', () => {
    const [old, next] = [connection(), connection({ peer: { ...PEER, maxInFlight: 3 } })];
    const schedule = vi.fn<(isPaced: boolean) => void>();
    next.setWriter({ schedule });
    for (let i = 0; i < 3; i++) emit(old);
    expect(sequencesOf(old)).toEqual([0, 1, 2]);
    const late = emit(next);
    expect(sequencesOf(next)).toEqual([]);
    lose(old);
    expect(schedule).toHaveBeenLastCalledWith(true);
    expect([sequencesOf(next), kept]).toEqual([[0, 1, 2], 0]);
    acknowledge(next, 1);
    expect(sequencesOf(next)).toEqual([3]);
    acknowledge(next, 4);
    expect(late.heard.words).toEqual(['acknowledged']);
  });

  it('precede new ones on every connection, also on one that does not take them', () => {
    const old = connection();
    for (let i = 0; i < 2; i++) emit(old);
    drainFrames(old);
    const draining = connection();
    draining.stopOpening();
    const retired = connection();
    const request = new Heard();
    lose(old);
    expect(sequencesOf(retired)).toEqual([0, 1]);
    lose(retired);
    const queues = { maxQueuedMessages: 9, maxQueuedBytes: 1_000_000 };
    const waiting = new ClientStreams({ own: PEER, peer: PEER, sequence, ...queues });
    emit(waiting);
    waiting.open('REQUEST', encodeRequest({ timeoutMs: 0, pattern: 'p', data: 1 }), request);
    expect(drainFrames(waiting).map(({ kind }) => kind)).toEqual(['REQUEST']);
    const next = connection();
    expect(sequencesOf(next)).toEqual([0, 1]);
    for (const stream of [1, 2]) acknowledge(next, stream);
    expect(sequencesOf(waiting)).toEqual([2]);
  });

  it('keep to the smallest number in flight that was announced, with all connections counted [R6.23]', () => {
    const old = connection();
    for (let i = 0; i < 5; i++) emit(old);
    drainFrames(old);
    lose(old);
    const next = connection({ peer: { ...PEER, maxInFlight: 2 } });
    expect(sequencesOf(next)).toEqual([0, 1]);
    acknowledge(next, 2);
    expect(sequencesOf(next)).toEqual([]);
    acknowledge(next, 1);
    expect(sequencesOf(next)).toEqual([2, 3]);
  });

  it('keep their order when a second connection is lost that has taken a part of them', () => {
    const old = connection();
    for (let i = 0; i < 3; i++) emit(old);
    drainFrames(old);
    lose(old);
    const second = connection({ peer: { ...PEER, maxInFlight: 2 } });
    expect(sequencesOf(second)).toEqual([0, 1]);
    lose(second);
    const third = connection();
    expect(sequencesOf(third)).toEqual([0, 1]);
    for (const stream of [1, 2]) acknowledge(third, stream);
    expect(sequencesOf(third)).toEqual([2]);
  });

  it('fail if the new connection takes no message of that size', () => {
    const old = connection();
    const { heard } = emit(old, Buffer.alloc(100_000));
    const small = emit(old);
    drainFrames(old);
    lose(old);
    const next = connection({ peer: { ...PEER, maxMessageBytes: 70_000 } });
    expect(sequencesOf(next)).toEqual([1]);
    expect([heard.words, small.heard.words]).toEqual([['ERR_MESSAGE_TOO_LARGE true'], []]);
  });

  it('wait for the next connection if GOAWAY comes before they are sealed again', () => {
    const old = connection();
    const { heard } = emit(old);
    drainFrames(old);
    lose(old);
    const going = connection();
    const fresh = emit(going);
    going.stopOpening();
    expect([heard.words, fresh.heard.words]).toEqual([[], ['ERR_CONNECTION_DRAINING false']]);
    expect([going.isIdle, kept]).toEqual([true, 2]);
    expect(sequencesOf(connection())).toEqual([0]);
  });

  it('are ended by the cancel of their caller wherever they are, which gives the sequence up', () => {
    const old = connection();
    const [first, second, third] = [emit(old), emit(old), emit(old)];
    drainFrames(old);
    lose(old);
    old.cancel(first.stream);
    const next = connection({ peer: { ...PEER, maxInFlight: 2 } });
    old.cancel(second.stream);
    expect(sequencesOf(next)).toEqual([2]);
    old.cancel(third.stream);
    expect(drainFrames(next).map(({ kind, stream }) => `${kind} ${stream}`)).toEqual(['CANCEL 1']);
    expect([first, second, third].flatMap(({ heard }) => heard.words)).toEqual([]);
    expect([next.isIdle, sequence.keptCount, time.timerCount]).toEqual([true, 0, 0]);
  });

  it('fail in the order of sending when they are given up, and let new ones begin', () => {
    const old = connection({ peer: { ...PEER, maxInFlight: 2 } });
    const events = [emit(old), emit(old)];
    drainFrames(old);
    lose(old);
    sequence.giveUp(new TransportError('ERR_CLIENT_CLOSED', 'closed'));
    expect(events.map(({ heard }) => heard.words)).toEqual([['ERR_CLIENT_CLOSED true'], ['ERR_CLIENT_CLOSED true']]);
    const next = connection({ peer: { ...PEER, maxInFlight: 2 } });
    for (let i = 0; i < 2; i++) emit(next);
    expect(sequencesOf(next)).toEqual([2, 3]);
  });

  it('leave a server that cannot be reached if they may run twice', () => {
    const old = connection();
    const repeatable = Object.assign(new Heard(), { mayRepeat: true });
    const { heard } = emit(old);
    old.open('EVENT', encodeEvent({ pattern: 'p', data: 1 }), repeatable);
    drainFrames(old);
    lose(old);
    sequence.giveUpRepeatable();
    expect([heard.words, repeatable.words]).toEqual([[], ['ERR_CONNECTION_LOST true']]);
    expect(sequencesOf(connection())).toEqual([0]);
  });

  it('count for the queue limits of the client', () => {
    const old = connection();
    for (let i = 0; i < 3; i++) emit(old, Buffer.alloc(100_000));
    drainFrames(old);
    lose(old);
    const full = expect.objectContaining({ code: 'ERR_QUEUE_FULL', sent: false });
    const none = { peer: { ...PEER, maxInFlight: 1 } };
    expect(() => emit(connection({ ...none, maxQueuedMessages: 2 }))).toThrow(full);
    expect(() => emit(connection({ ...none, maxQueuedBytes: 200_030 }))).toThrow(full);
  });

  it('hold a bounded number of bytes: beyond maxQueuedBytes an event waits for an acknowledgement', () => {
    const streams = connection({ maxQueuedBytes: 250_000 });
    for (let i = 0; i < 3; i++) {
      emit(streams, Buffer.alloc(100_000));
      expect(sequencesOf(streams).length).toBe(i < 2 ? 2 : 0);
    }
    acknowledge(streams, 1);
    expect(sequencesOf(streams)).toHaveLength(2);
  });
});

describe('9 minutes after the last record that was read on the lost connection', () => {
  function keepOne(lastRead = thisMoment()): Heard {
    const old = connection();
    const { heard } = emit(old);
    drainFrames(old);
    time.advance(60_000);
    old.end(() => LOST, lastRead);
    return heard;
  }

  it('an event is given up with the error of the loss [R6.40]', () => {
    const heard = keepOne();
    expect(time.timerCount).toBe(1);
    time.advance(SEND_AGAIN_MS - 60_000 - 1);
    expect(heard.words).toEqual([]);
    time.advance(1);
    expect(heard.words).toEqual(['ERR_CONNECTION_LOST true']);
    expect([sequence.keptCount, time.timerCount]).toEqual([0, 0]);
    expect(sequencesOf(connection())).toEqual([]);
  });

  it('an event is not sent again, even if the timer is late, because the process or the system slept [R6.40]', () => {
    const slept = keepOne();
    const { unixMs } = clock;
    clock.unixMs = () => unixMs() + SEND_AGAIN_MS; // the monotonic clock stood still
    expect([sequencesOf(connection()), slept.words]).toEqual([[], ['ERR_CONNECTION_LOST true']]);
    clock.unixMs = unixMs;
  });

  it('counts from an earlier loss if nothing was read since: the server may have seen no later connection [R6.40]', () => {
    const heard = keepOne();
    time.advance(SEND_AGAIN_MS - 60_000 - 1_000);
    const silent = connection();
    expect(sequencesOf(silent)).toEqual([0]);
    silent.end(() => LOST);
    time.advance(1_000);
    expect(heard.words).toEqual(['ERR_CONNECTION_LOST true']);
  });

  it('counts from the later loss if a record was read there', () => {
    const heard = keepOne();
    time.advance(SEND_AGAIN_MS - 60_000 - 1_000);
    const next = connection();
    drainFrames(next);
    lose(next);
    time.advance(SEND_AGAIN_MS - 1);
    expect(heard.words).toEqual([]);
    time.advance(1);
    expect(heard.words).toEqual(['ERR_CONNECTION_LOST true']);
  });
});
