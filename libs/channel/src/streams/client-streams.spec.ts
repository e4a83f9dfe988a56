import { describe, expect, it, vi } from 'vitest';

import { asReceived, drainFrames, nextFrame, plainFrame } from '../../../../test/support/frames.js';
import { encodeEvent, encodeRequest } from '../../../transport/src/packet/message.js';
import { TransportError } from '../errors.js';
import type { Frame } from '../frame/frame.js';
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import type { AnswerSink } from './client-stream.js';
import { ClientStreams } from './client-streams.js';
import type { ClientStreamsOptions } from './client-streams.js';
import { EventSequence } from './events/event-sequence.js';

const LIMITS = {
  maxMessageBytes: 1_000_000,
  maxIncompleteBytes: 65_536,
  maxIncompleteBytesTotal: Infinity,
  maxInFlight: 4,
};
const request = (bytes = 1): OutgoingMessage =>
  encodeRequest({ timeoutMs: 0, pattern: 'p', data: Buffer.alloc(bytes) });
function silent(): AnswerSink {
  return { next: () => undefined, error: () => undefined, complete: () => undefined, fail: () => undefined };
}

function client(own = LIMITS, options: Partial<ClientStreamsOptions> = {}): ClientStreams {
  const queues = { maxQueuedMessages: 8, maxQueuedBytes: 1_000_000 };
  const sequence = new EventSequence();
  return new ClientStreams({ own, peer: LIMITS, sequence, ...queues, ...options });
}

function drain(streams: ClientStreams): string[] {
  return drainFrames(streams).map(({ kind, stream, more }) => `${kind} ${stream}${more ? ' more' : ''}`);
}

describe('ClientStreams', () => {
  it('begins the next large message when the previous one is sealed, not when it is answered [R6.18]', () => {
    const streams = client();
    for (let i = 0; i < 2; i++) streams.open('REQUEST', request(100_000), silent());
    expect(drain(streams)).toEqual(['REQUEST 1 more', 'REQUEST 1', 'REQUEST 2 more', 'REQUEST 2']);
  });

  it.each(['NEXT', 'ERROR'] as const)(
    'refuses COMPLETE in the middle of %s, because a value is cut off [R6.9]',
    (kind) => {
      const streams = client();
      streams.open('REQUEST', request(), silent());
      drain(streams);
      streams.receive(asReceived(plainFrame(kind, 1, { more: true, total: 70_000 })), 0);
      expect(() => streams.receive(asReceived(plainFrame('COMPLETE', 1)), 0)).toThrow(
        expect.objectContaining({ code: 'ERR_FRAME_UNEXPECTED' }) as Error,
      );
    },
  );

  it('fails a call whose message cannot be written when the connection ends, as one that was not sent', () => {
    const streams = client();
    const message = request();
    message.prefix = -1;
    const fail = vi.fn<(error: TransportError) => void>();
    streams.open('REQUEST', message, { ...silent(), fail });
    expect(() => drain(streams)).toThrow(RangeError);
    streams.end(() => new TransportError('ERR_INTERNAL', 'defect'));
    expect(fail).toHaveBeenCalledWith(expect.objectContaining({ code: 'ERR_INTERNAL', sent: false }));
  });

  it('refuses new calls once it is going away, and still opens waiting ones [R5.17]', () => {
    const streams = client();
    for (let i = 0; i < 5; i++) streams.open('REQUEST', request(), silent());
    streams.stopTaking();
    expect(() => streams.open('REQUEST', request(), silent())).toThrow(
      expect.objectContaining({ code: 'ERR_CONNECTION_DRAINING', sent: false }) as Error,
    );
    expect(streams.hasUnopened).toBe(true);
    expect(drain(streams)).toHaveLength(4);
    streams.receive(asReceived(plainFrame('COMPLETE', 1)), 0);
    expect(drain(streams)).toEqual(['REQUEST 5']);
    expect(streams.hasUnopened).toBe(false);
  });
});

describe('the sink of a call', () => {
  it('is called once when the last frame of its message was sealed', () => {
    const sealed = vi.fn<() => void>();
    const streams = client();
    const cancelled = streams.open('REQUEST', request(), { ...silent(), sealed });
    streams.open('REQUEST', request(100_000), { ...silent(), sealed });
    expect([nextFrame(streams), nextFrame(streams)].map((frame) => frame?.more)).toEqual([false, true]);
    expect(sealed).toHaveBeenCalledTimes(1);
    streams.cancel(cancelled);
    expect(drain(streams)).toEqual(['CANCEL 1', 'REQUEST 2']);
    expect(sealed).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['a GOAWAY', (streams: ClientStreams) => streams.stopOpening()],
    ['its end', (streams: ClientStreams) => streams.end(() => new TransportError('ERR_CONNECTION_LOST', 'lost'))],
  ])('fails after %s of the connection in the order in which the calls were opened', (_what, stop) => {
    const failed: number[] = [];
    const streams = client(LIMITS, { peer: { ...LIMITS, maxInFlight: 2 } });
    const sizes = [1, 20_000, 1, 100_000, 1, 20_000];
    for (const [index, bytes] of sizes.entries())
      streams.open('REQUEST', request(bytes), { ...silent(), fail: () => void failed.push(index) });
    stop(streams);
    expect(failed).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('an answer for which there is no memory', () => {
  const first = (): Frame =>
    asReceived(plainFrame('NEXT', 1, { more: true, total: 70_000, payload: Buffer.alloc(60_000) }));
  const rest = (fields = {}): Frame =>
    asReceived(plainFrame('NEXT', 1, { payload: Buffer.alloc(10_000), last: true, ...fields }));

  function ask(): { streams: ClientStreams; failures: string[] } {
    const failures: string[] = [];
    const streams = client({ ...LIMITS, maxIncompleteBytesTotal: 65_535 });
    streams.open('REQUEST', request(), {
      ...silent(),
      fail: ({ code, sent }) => void failures.push(`${code} ${sent}`),
    });
    drain(streams);
    return { streams, failures };
  }

  it('fails that call and is cancelled [R6.30]', () => {
    const { streams, failures } = ask();
    streams.receive(first(), 0);
    expect(failures).toEqual(['ERR_QUEUE_FULL true']);
    expect(drain(streams)).toEqual(['CANCEL 1']);
    expect([streams.isIdle, streams.hasIncomplete]).toEqual([true, false]);
    streams.receive(rest(), 0);
  });

  it('is checked like any other until CANCEL is sealed [R6.30]', () => {
    const { streams } = ask();
    streams.receive(first(), 0);
    expect(() => streams.receive(rest({ payload: Buffer.alloc(10_001) }), 0)).toThrow(
      expect.objectContaining({ code: 'ERR_FRAME_UNEXPECTED' }) as Error,
    );
  });

  it('needs no CANCEL once its last frame has arrived', () => {
    const { streams, failures } = ask();
    streams.receive(first(), 0);
    streams.receive(rest(), 0);
    expect([failures.length, drain(streams), streams.isIdle]).toEqual([1, [], true]);
  });
});

describe('the events of one client at one server', () => {
  const FEW = { ...LIMITS, maxInFlight: 2 };
  const event = (): OutgoingMessage => encodeEvent({ pattern: 'p', data: 1 });
  const sequencesOf = (streams: ClientStreams): number[] =>
    drainFrames(streams).map(({ payload }) => payload.readUInt32BE(4));

  it('have one sequence over all connections, bounded by the smallest announced number [R6.21, R6.23]', () => {
    const sequence = new EventSequence();
    const [old, next] = [client(LIMITS, { sequence }), client(LIMITS, { sequence, peer: FEW })];
    old.open('EVENT', event(), silent());
    expect(sequencesOf(old)).toEqual([0]);
    old.receive(asReceived(plainFrame('ACK', 1)), 0);
    for (let i = 0; i < 3; i++) next.open('EVENT', event(), silent());
    expect(sequencesOf(next)).toEqual([1, 2]);
    next.receive(asReceived(plainFrame('ACK', 1)), 0);
    expect(sequencesOf(next)).toEqual([3]);
  });

  it('begin on a connection when no event of another one is unacknowledged, because frames of two arrive in any order', () => {
    const sequence = new EventSequence();
    const [old, next] = [client(LIMITS, { sequence }), client(LIMITS, { sequence })];
    for (let i = 0; i < 2; i++) old.open('EVENT', event(), silent());
    next.open('EVENT', event(), silent());
    expect([sequencesOf(old), sequencesOf(next)]).toEqual([[0, 1], []]);
    old.receive(asReceived(plainFrame('ACK', 1)), 0);
    expect(sequencesOf(next)).toEqual([]);
    old.receive(asReceived(plainFrame('ACK', 2)), 0);
    expect(sequencesOf(next)).toEqual([2]);
  });

  it('begin on one connection when an event is acknowledged on another, which has it sealed [R6.23]', () => {
    const sequence = new EventSequence();
    const schedule = vi.fn<(isPaced: boolean) => void>();
    const [old, next] = [client(FEW, { sequence, peer: FEW }), client(FEW, { sequence, peer: FEW })];
    for (let i = 0; i < 2; i++) old.open('EVENT', event(), silent());
    next.open('EVENT', event(), silent());
    expect([sequencesOf(old), sequencesOf(next)]).toEqual([[0, 1], []]);
    next.setWriter({ schedule });
    old.receive(asReceived(plainFrame('ACK', 2)), 0);
    expect(schedule).not.toHaveBeenCalled();
    old.receive(asReceived(plainFrame('ACK', 1)), 0);
    expect(schedule.mock.calls).toEqual([[true]]); // immediately could be in the middle of a record of `old`
    expect(sequencesOf(next)).toEqual([2]);
  });

  it.each([
    ['refused', (streams: ClientStreams) => streams.receive(asReceived(plainFrame('ERROR', 1)), 0)],
    ['acknowledged', (streams: ClientStreams) => streams.receive(asReceived(plainFrame('ACK', 1)), 0)],
  ])('give up the sequence of an event that is %s, and use no sequence again [R6.14, R6.21, R6.39]', (_how, end) => {
    const streams = client(LIMITS, { peer: { ...LIMITS, maxInFlight: 1 } });
    for (let i = 0; i < 2; i++) streams.open('EVENT', event(), silent());
    expect(sequencesOf(streams)).toEqual([0]);
    end(streams);
    expect(sequencesOf(streams)).toEqual([1]);
  });

  it('give up the sequence of a cancelled event only with CANCEL', () => {
    const streams = client(LIMITS, { peer: FEW });
    const stream = streams.open('EVENT', event(), silent());
    for (let i = 0; i < 2; i++) streams.open('EVENT', event(), silent());
    expect(sequencesOf(streams)).toEqual([0, 1]);
    streams.cancel(stream);
    expect(drain(streams)).toEqual(['CANCEL 1', 'EVENT 3']);
  });
});
