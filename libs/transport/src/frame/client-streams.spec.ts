import { describe, expect, it } from 'vitest';

import { asReceived, drainFrames, plainFrame } from '../../../../test/support/frames.js';
import { ClientStreams } from './client-streams.js';
import type { AnswerSink } from './client-stream.js';
import { EventSequence } from './event-sequence.js';
import { encodeRequest } from './message.js';
import type { OutgoingMessage } from './outgoing-message.js';

const LIMITS = { maxMessageBytes: 1_000_000, maxIncompleteBytes: 65_536, maxInFlight: 4 };
const request = (bytes = 1): OutgoingMessage =>
  encodeRequest({ timeoutMs: 0, pattern: 'p', data: Buffer.alloc(bytes) });
function silent(): AnswerSink {
  return { next: () => undefined, error: () => undefined, complete: () => undefined, fail: () => undefined };
}

function client(): ClientStreams {
  const queues = { maxQueuedMessages: 8, maxQueuedBytes: 1_000_000, sequence: new EventSequence() };
  return new ClientStreams({ own: LIMITS, peer: LIMITS, ...queues });
}

function drain(streams: ClientStreams): string[] {
  return drainFrames(streams).map(({ kind, stream, more }) => `${kind} ${stream}${more ? ' more' : ''}`);
}

describe('ClientStreams', () => {
  it('begins the next large message when the one before is sealed, and not when it is answered [R6.18]', () => {
    const streams = client();
    for (let i = 0; i < 2; i++) streams.open('REQUEST', request(100_000), silent());
    expect(drain(streams)).toEqual(['REQUEST 1 more', 'REQUEST 1', 'REQUEST 2 more', 'REQUEST 2']);
  });

  it.each(['NEXT', 'ERROR'] as const)(
    'refuses COMPLETE in the middle of %s: a value that is cut off [R6.9]',
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

  it('takes nothing new once it is to go away, and still opens what waits [R5.17]', () => {
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
