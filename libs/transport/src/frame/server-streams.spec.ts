import { describe, expect, it } from 'vitest';

import { asReceived, messageOf, nextFrame, plainFrame } from '../../../../test/support/frames.js';
import type { Frame } from './frame.js';
import { ServerStreams } from './server-streams.js';
import type { ServerStream } from './server-streams.js';

const LIMITS = { maxMessageBytes: 1_000_000, maxIncompleteBytes: 65_536, maxInFlight: 1 };
const frame = (kind: Frame['kind'], stream: number, isFirst = false): Frame =>
  asReceived(plainFrame(kind, stream, isFirst ? { more: true, total: 70_000 } : {}));

function serve(): { streams: ServerStreams; handed: string[]; requests: ServerStream[] } {
  const handed: string[] = [];
  const requests: ServerStream[] = [];
  const handler = {
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
