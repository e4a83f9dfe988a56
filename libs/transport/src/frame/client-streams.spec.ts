import { describe, expect, it } from 'vitest';

import { ClientStreams } from './client-streams.js';
import type { AnswerSink } from './client-stream.js';
import { EventSequence } from './event-sequence.js';
import type { Frame } from './frame.js';
import { encodeRequest } from './message.js';

const ROOM = 65_502;
const LIMITS = { maxMessageBytes: 1_000_000, maxIncompleteBytes: 65_536, maxInFlight: 4 };
const request = (bytes = 1): Buffer => encodeRequest({ timeoutMs: 0, pattern: 'p', data: Buffer.alloc(bytes) });
const frame = (kind: Frame['kind'], payload: Buffer, more = false): Frame => ({
  kind,
  stream: 1,
  more,
  last: false,
  payload,
});

function silent(): AnswerSink {
  return { next: () => undefined, error: () => undefined, complete: () => undefined, fail: () => undefined };
}

function client(): ClientStreams {
  const queues = { maxQueuedMessages: 8, maxQueuedBytes: 1_000_000, sequence: new EventSequence() };
  return new ClientStreams({ own: LIMITS, peer: LIMITS, ...queues });
}

function drain(streams: ClientStreams): string[] {
  const frames: string[] = [];
  for (let next = streams.nextFrame(ROOM); next !== undefined; next = streams.nextFrame(ROOM)) {
    frames.push(`${next.kind} ${next.stream}${next.more ? ' more' : ''}`);
  }
  return frames;
}

describe('ClientStreams', () => {
  it('begins the next large message when the one before is sealed, and not when it is answered [R6.18]', () => {
    const streams = client();
    for (let i = 0; i < 2; i++) streams.open('REQUEST', request(60_000), silent());
    const [more1, more2] = ['REQUEST 1 more', 'REQUEST 2 more'];
    expect(drain(streams)).toEqual([more1, more1, more1, 'REQUEST 1', more2, more2, more2, 'REQUEST 2']);
  });

  it.each(['NEXT', 'ERROR'] as const)(
    'refuses COMPLETE in the middle of %s: a value that is cut off [R6.9]',
    (kind) => {
      const streams = client();
      streams.open('REQUEST', request(), silent());
      drain(streams);
      streams.receive(frame(kind, Buffer.of(0), true), 0);
      expect(() => streams.receive(frame('COMPLETE', Buffer.alloc(0)), 0)).toThrow(
        expect.objectContaining({ code: 'ERR_FRAME_UNEXPECTED' }) as Error,
      );
    },
  );

  it('takes nothing new once it is to go away, and still opens what waits [R5.17]', () => {
    const streams = client();
    for (let i = 0; i < 5; i++) streams.open('REQUEST', request(), silent());
    streams.stopTaking();
    expect(() => streams.open('REQUEST', request(), silent())).toThrow(
      expect.objectContaining({ code: 'ERR_CONNECTION_DRAINING', sent: false }) as Error,
    );
    expect(streams.hasUnopened).toBe(true);
    expect(drain(streams)).toHaveLength(4);
    streams.receive(frame('COMPLETE', Buffer.alloc(0)), 0);
    expect(drain(streams)).toEqual(['REQUEST 5']);
    expect(streams.hasUnopened).toBe(false);
  });
});
