import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { asReceived, encodeFrames, messageOf, nextFrame, plainFrame } from '../../../../test/support/frames.js';
import { FrameReader } from '../frame/frame.js';
import type { Frame } from '../frame/frame.js';
import type { ServerStream } from './server-stream.js';
import { ServerStreams } from './server-streams.js';

const LIMITS = {
  maxMessageBytes: 1_000_000,
  maxIncompleteBytes: 65_536,
  maxIncompleteBytesTotal: Infinity,
  maxInFlight: 3,
};
const frame = (kind: Frame['kind'], stream: number, isFirst = false): Frame =>
  asReceived(plainFrame(kind, stream, isFirst ? { more: true, total: 70_000 } : {}));

const ignore = (): undefined => undefined;
const NO_HANDLER = {
  onRequestBegun: ignore,
  onRequest: ignore,
  onEvent: ignore,
  onNoMemory: ignore,
  onShutDown: ignore,
  onCancelled: ignore,
};

const unexpected = expect.objectContaining({ code: 'ERR_FRAME_UNEXPECTED' }) as Error;

function serve(shutDown: (stream: ServerStream, begun: Buffer | undefined) => void = () => undefined): {
  streams: ServerStreams;
  handed: string[];
  begun: ServerStream[];
  requests: ServerStream[];
  events: ServerStream[];
} {
  const handed: string[] = [];
  const begun: ServerStream[] = [];
  const requests: ServerStream[] = [];
  const events: ServerStream[] = [];
  const handler = {
    onRequestBegun: (stream: ServerStream, timeoutMs: number) => {
      handed.push(`begun ${timeoutMs}`);
      begun.push(stream);
    },
    onRequest: (stream: ServerStream) => {
      handed.push('request');
      requests.push(stream);
    },
    onEvent: (stream: ServerStream) => {
      handed.push('event');
      events.push(stream);
    },
    onNoMemory: () => void handed.push('no memory'),
    onShutDown: shutDown,
    onCancelled: () => void handed.push('cancelled'),
  };
  return {
    streams: new ServerStreams({ own: LIMITS, peer: LIMITS, maxQueuedBytes: 1_000, handler }),
    handed,
    begun,
    requests,
    events,
  };
}

describe('ServerStreams after CLOSE was sent', () => {
  it('drop streams that a client opened before CLOSE arrived, and hand nothing over [R5.22]', () => {
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
    const { streams } = serve();
    streams.stopSending();
    expect(() => streams.receive(frame('CANCEL', 1), 0)).toThrow(unexpected);
    streams.stopOpening();
    expect(() => streams.receive(frame('REQUEST', 1), 0)).toThrow(unexpected);
  });
});

describe('an incomplete request', () => {
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

  it('is reported once, as soon as its timeout has arrived [R6.20]', () => {
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

  it('fails immediately; its later fragments are checked until the error is sealed, then late [R6.20]', () => {
    const { streams, begun } = begin(4);
    const [stream = expect.unreachable()] = begun;
    stream.fail(messageOf(Buffer.of(2)));
    streams.receive(piece(1), 0); // under way before the error was sealed
    expect(() => streams.receive(piece(1, { total: 70_000 }), 0)).toThrow(unexpected);
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

  it('accepts no values because its handler has not begun', () => {
    const { streams, begun } = begin(4);
    const [stream = expect.unreachable()] = begun;
    stream.next(messageOf(Buffer.of(2)), true);
    stream.complete();
    expect([stream.isRunning, nextFrame(streams)]).toEqual([false, undefined]);
  });
});

describe('a message for which there is no memory', () => {
  const SEQUENCE = Buffer.from('0000000000000007', 'hex');
  const NONE = { ...LIMITS, maxIncompleteBytesTotal: 0 };
  const piece = (kind: 'REQUEST' | 'EVENT', payload: Buffer, fields = {}): Frame =>
    asReceived(plainFrame(kind, 1, { more: true, payload, ...fields }));

  /** Each is answered as soon as it is refused. */
  function refuse(answer: (stream: ServerStream) => void) {
    const refused: string[] = [];
    const streams = new ServerStreams({
      own: NONE,
      peer: LIMITS,
      maxQueuedBytes: 1_000,
      handler: {
        ...NO_HANDLER,
        onNoMemory: (stream, begun) => {
          refused.push(`${stream.kind} ${begun.toString('hex')}`);
          answer(stream);
        },
      },
    });
    return { streams, refused };
  }
  const fails = (stream: ServerStream): void => stream.fail(messageOf(Buffer.of(2)));

  it('is refused immediately if it is a request, and its fragments are checked until the error is sealed [R6.30]', () => {
    const { streams, refused } = refuse(fails);
    streams.receive(piece('REQUEST', Buffer.alloc(30), { total: 70_000 }), 0);
    expect(refused).toEqual(['REQUEST 0000000000000000']);
    streams.receive(piece('REQUEST', Buffer.alloc(30)), 0);
    expect(() => streams.receive(piece('REQUEST', Buffer.alloc(70_000)), 0)).toThrow(unexpected);
    expect(nextFrame(streams)).toMatchObject({ kind: 'ERROR', stream: 1 });
    expect([streams.isIdle, streams.hasIncomplete]).toEqual([true, false]);
    streams.receive(piece('REQUEST', Buffer.alloc(70_000)), 0);
  });

  it('is refused only after its sequence has arrived if it is an event [R6.30, R6.39]', () => {
    const { streams, refused } = refuse(fails);
    streams.receive(piece('EVENT', SEQUENCE.subarray(0, 1), { total: 70_000 }), 0);
    streams.receive(piece('EVENT', SEQUENCE.subarray(1, 7)), 0);
    expect(refused).toEqual([]);
    streams.receive(piece('EVENT', SEQUENCE.subarray(7)), 0);
    expect(refused).toEqual(['EVENT 0000000000000007']);
    expect(nextFrame(streams)).toMatchObject({ kind: 'ERROR', stream: 1 });
  });

  it('may be acknowledged before it is complete if the window contains the event [R6.38]', () => {
    const { streams } = refuse((stream) => stream.acknowledge());
    streams.receive(piece('EVENT', SEQUENCE, { total: 70_000 }), 0);
    expect(nextFrame(streams)).toMatchObject({ kind: 'ACK', stream: 1 });
    expect([streams.isIdle, streams.hasIncomplete]).toEqual([true, false]);
  });

  it('accepts no further frame once it is complete, also while its error waits [R6.10]', () => {
    const { streams } = refuse(fails);
    streams.receive(piece('REQUEST', Buffer.alloc(1), { total: 70_000 }), 0);
    streams.receive(piece('REQUEST', Buffer.alloc(69_999), { more: false }), 0);
    expect(streams.hasIncomplete).toBe(false);
    expect(() => streams.receive(piece('REQUEST', Buffer.alloc(1), { more: false }), 0)).toThrow(unexpected);
  });

  it('uses no memory for announced bytes', () => {
    const { streams } = refuse(fails);
    const allocated = vi.spyOn(Buffer, 'allocUnsafeSlow');
    onTestFinished(() => allocated.mockRestore());
    streams.receive(piece('REQUEST', Buffer.alloc(60_000), { total: 1_000_000 }), 0);
    expect(Math.max(...allocated.mock.calls.map(([bytes]) => bytes))).toBeLessThan(100);
  });
});

describe('a shutdown at its deadline', () => {
  it('requests an answer to every unanswered stream, with the bytes of an incomplete message', () => {
    const asked: unknown[] = [];
    const { streams, requests } = serve((stream, begun) => void asked.push([stream.id, begun?.length]));
    streams.receive(frame('REQUEST', 1), 0);
    const [answered = expect.unreachable()] = requests;
    streams.receive(frame('REQUEST', 2), 0);
    streams.receive(asReceived(plainFrame('EVENT', 3, { more: true, total: 70_000, payload: Buffer.alloc(9) })), 0);
    answered.complete();
    streams.shutDown();
    expect(asked).toEqual([
      [2, undefined],
      [3, 9],
    ]);
  });
});

describe('a stream that accepts no further value', () => {
  function fill(): { streams: ServerStreams; stream: ServerStream } {
    const { streams, requests } = serve();
    streams.receive(frame('REQUEST', 1), 0);
    const [stream = expect.unreachable()] = requests;
    stream.next(messageOf(Buffer.alloc(600)), false);
    return { streams, stream };
  }

  it.each([
    ['there is room again', (streams: ServerStreams) => void nextFrame(streams)],
    ['it is cancelled', (streams: ServerStreams) => streams.receive(frame('CANCEL', 1), 0)],
    ['the connection ends', (streams: ServerStreams) => streams.end()],
  ])('lets every waiting source continue when %s', async (_when, resume) => {
    const { streams, stream } = fill();
    const waiting = [1, 2, 3].map(() => stream.whenWritable() ?? expect.unreachable());
    resume(streams);
    await Promise.all(waiting);
    expect(stream.whenWritable()).toBeUndefined();
  });
});

describe('a stream that has something to send', () => {
  type Act = (stream: ServerStream) => void;
  const message = messageOf(Buffer.of(2));

  function scheduled(kind: 'REQUEST' | 'EVENT', act: Act): boolean[] {
    const { streams, requests, events } = serve();
    const calls: boolean[] = [];
    streams.setWriter({ schedule: (isPaced) => void calls.push(isPaced) });
    streams.receive(frame(kind, 1), 0);
    const [stream = expect.unreachable()] = [...requests, ...events];
    act(stream);
    return calls;
  }

  it.each<[string, 'REQUEST' | 'EVENT', Act]>([
    ['its last value', 'REQUEST', (stream) => stream.next(message, true)],
    ['an error', 'REQUEST', (stream) => stream.error(message)],
    ['its end', 'REQUEST', (stream) => stream.complete()],
    ['a failure', 'REQUEST', (stream) => stream.fail(message)],
    ['an acknowledgement', 'EVENT', (stream) => stream.acknowledge()],
  ])('schedules a write of %s without waiting for the end of the turn', (_what, kind, act) => {
    expect(scheduled(kind, act)).toEqual([false]);
  });

  it('schedules a paced write of a value that others follow', () => {
    expect(scheduled('REQUEST', (stream) => stream.next(message, false))).toEqual([true]);
  });

  it('schedules nothing once its answer has ended', () => {
    const schedule = scheduled('REQUEST', (stream) => {
      stream.complete();
      stream.next(message, true);
      stream.error(message);
      stream.complete();
      stream.fail(message);
    });
    expect(schedule).toEqual([false]);
  });
});

describe('the record that completes a message', () => {
  it.each([true, false])('is copied for its stream only if the server keeps records: %s', (keepsSealedRecords) => {
    const requests: ServerStream[] = [];
    const handler = { ...NO_HANDLER, onRequest: (stream: ServerStream) => void requests.push(stream) };
    const options = { own: LIMITS, peer: LIMITS, maxQueuedBytes: 1_000, handler, keepsSealedRecords };
    const streams = new ServerStreams(options);
    const record = Buffer.alloc(48, 7);
    const reader = new FrameReader(encodeFrames([1, 2].map((stream) => plainFrame('REQUEST', stream))), record);
    while (reader.next()) streams.receive(reader, 0);
    record.fill(0); // the next read overwrites it
    const [first, second] = requests.map(({ sealedRecord }) => sealedRecord);
    expect(first).toEqual(keepsSealedRecords ? Buffer.alloc(48, 7) : undefined);
    expect(second).toBe(first);
  });
});
