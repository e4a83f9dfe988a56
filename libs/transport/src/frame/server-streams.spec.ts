import { describe, expect, it } from 'vitest';

import { asReceived, messageOf, nextFrame, plainFrame } from '../../../../test/support/frames.js';
import type { Frame } from './frame.js';
import { ServerStreams } from './server-streams.js';
import type { ServerStream } from './server-streams.js';

const LIMITS = { maxMessageBytes: 1_000_000, maxIncompleteBytes: 65_536, maxInFlight: 1 };
const frame = (kind: Frame['kind'], stream: number, isFirst = false): Frame =>
  asReceived(plainFrame(kind, stream, isFirst ? { more: true, total: 70_000 } : {}));

function serve(): { streams: ServerStreams; handed: string[]; begun: ServerStream[]; requests: ServerStream[] } {
  const handed: string[] = [];
  const begun: ServerStream[] = [];
  const requests: ServerStream[] = [];
  const handler = {
    begun: (stream: ServerStream, timeoutMs: number) => {
      handed.push(`begun ${timeoutMs}`);
      begun.push(stream);
    },
    request: (stream: ServerStream) => {
      handed.push('request');
      requests.push(stream);
    },
    event: () => void handed.push('event'),
    cancelled: () => void handed.push('cancelled'),
  };
  return {
    streams: new ServerStreams({ own: LIMITS, peer: LIMITS, maxQueuedBytes: 1_000, handler }),
    handed,
    begun,
    requests,
  };
}

describe('ServerStreams that have sent CLOSE', () => {
  it('drop the streams that a client opened before it could know of it, and hand nothing over [R5.22]', () => {
    const { streams, handed } = serve();
    streams.stopSending();
    for (const id of [1, 2, 3]) streams.receive(frame('REQUEST', id), 0);
    streams.receive(frame('REQUEST', 4, true), 0);
    streams.receive(frame('REQUEST', 4), 0);
    streams.receive(frame('EVENT', 5), 0);
    streams.receive(frame('CANCEL', 5), 0);
    expect(handed).toEqual([]);
    expect([streams.isIdle, streams.hasIncomplete]).toEqual([true, false]);
  });

  it('still refuse a stream after GOAWAY, and CANCEL for one that was never opened [R5.17, R6.5]', () => {
    const unexpected = expect.objectContaining({ code: 'ERR_FRAME_UNEXPECTED' }) as Error;
    const { streams } = serve();
    streams.stopSending();
    expect(() => streams.receive(frame('CANCEL', 1), 0)).toThrow(unexpected);
    streams.stopOpening();
    expect(() => streams.receive(frame('REQUEST', 1), 0)).toThrow(unexpected);
  });
});

describe('An incomplete request', () => {
  const TIMEOUT = Buffer.from('000003e8', 'hex');
  const piece = (byte: number, fields = {}): Frame =>
    asReceived(plainFrame('REQUEST', 1, { more: true, payload: Buffer.of(byte), ...fields }));

  /** As many bytes of the timeout as `bytes`, each in a fragment of its own. */
  function begin(bytes: number): ReturnType<typeof serve> {
    const served = serve();
    TIMEOUT.subarray(0, bytes).forEach((byte, at) =>
      served.streams.receive(piece(byte, at === 0 ? { total: 70_000 } : {}), 0),
    );
    return served;
  }

  it('is reported once, as soon as its timeout has come [R6.20]', () => {
    const { streams, handed } = begin(3);
    expect(handed).toEqual([]);
    streams.receive(piece(0xe8), 0);
    streams.receive(piece(1), 0);
    expect(handed).toEqual(['begun 1000']);
  });

  it('is reported with a timeout of 0 if it has none', () => {
    const { streams, handed } = serve();
    streams.receive(piece(0, { total: 70_000, payload: Buffer.alloc(40_000) }), 0);
    streams.receive(piece(0, { more: false, payload: Buffer.alloc(30_000) }), 0);
    expect(handed).toEqual(['begun 0', 'request']);
  });

  it('fails at once, holds nothing, and what still comes of it is late [R6.20]', () => {
    const { streams, begun } = begin(4);
    const [stream = expect.unreachable()] = begun;
    streams.fail(stream, messageOf(Buffer.of(2)));
    expect(streams.hasIncomplete).toBe(false);
    streams.receive(piece(1), 0); // under way before the error was sealed
    expect(nextFrame(streams)).toMatchObject({ kind: 'ERROR', stream: 1, more: false });
    streams.receive(piece(1), 0);
    streams.receive(piece(1, { more: false }), 0);
    expect([streams.isIdle, streams.hasIncomplete, streams.stalestProgressMs]).toEqual([true, false, undefined]);
    streams.receive(frame('REQUEST', 2), 0);
    expect(streams.openCount).toBe(1);
  });

  it.each([
    ['it is cancelled', (streams: ServerStreams) => streams.receive(frame('CANCEL', 1), 0)],
    ['the connection ends', (streams: ServerStreams) => streams.end()],
  ])('is given up when %s', (_when, giveUp) => {
    const { streams, handed } = begin(4);
    giveUp(streams);
    expect(handed).toEqual(['begun 1000', 'cancelled']);
    expect([streams.isIdle, streams.hasIncomplete]).toEqual([true, false]);
  });

  it('takes no values: its handler has not begun', () => {
    const { streams, begun } = begin(4);
    const [stream = expect.unreachable()] = begun;
    streams.next(stream, messageOf(Buffer.of(2)), true);
    streams.complete(stream);
    expect([streams.isRunning(stream), nextFrame(streams)]).toEqual([false, undefined]);
  });
});

describe('A stream that takes no further value', () => {
  function fill(): { streams: ServerStreams; stream: ServerStream } {
    const { streams, requests } = serve();
    streams.receive(frame('REQUEST', 1), 0);
    const [stream = expect.unreachable()] = requests;
    streams.next(stream, messageOf(Buffer.alloc(600)), false);
    return { streams, stream };
  }

  it.each([
    ['there is room again', (streams: ServerStreams) => void nextFrame(streams)],
    ['it is cancelled', (streams: ServerStreams) => streams.receive(frame('CANCEL', 1), 0)],
    ['the connection ends', (streams: ServerStreams) => streams.end()],
  ])('lets every source that waits for it go on when %s', async (_when, resume) => {
    const { streams, stream } = fill();
    const waiting = [1, 2, 3].map(() => streams.whenWritable(stream) ?? expect.unreachable());
    resume(streams);
    await Promise.all(waiting);
    expect(streams.whenWritable(stream)).toBeUndefined();
  });
});
