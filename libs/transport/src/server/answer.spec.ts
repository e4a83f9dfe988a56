import { afterEach, describe, expect, it, vi } from 'vitest';

import { asReceived, bytesOf, plainFrame } from '../../../../test/support/frames.js';
import type { ServerStream } from '../../../channel/src/streams/server-stream.js';
import { ServerStreams } from '../../../channel/src/streams/server-streams.js';
import { encodeRequest } from '../packet/message.js';
import { encodeData } from '../packet/payload.js';
import { Answer } from './answer.js';

const LIMITS = {
  maxMessageBytes: 1_000_000,
  maxIncompleteBytes: 65_536,
  maxIncompleteBytesTotal: Infinity,
  maxInFlight: 2,
};

afterEach(() => vi.restoreAllMocks());

/** A stream for each of two requests, on a connection of which 65,536 bytes may wait. */
function twoStreams(): { readonly streams: ServerStreams; readonly opened: ServerStream[] } {
  const opened: ServerStream[] = [];
  const handler = {
    onRequest: (stream: ServerStream) => void opened.push(stream),
    onEvent: () => undefined,
    onRequestBegun: () => undefined,
    onNoMemory: () => undefined,
    onShutDown: () => undefined,
    onCancelled: () => undefined,
  };
  const streams = new ServerStreams({ own: LIMITS, peer: LIMITS, maxQueuedBytes: 65_536, handler });
  const payload = bytesOf(encodeRequest({ timeoutMs: 0, pattern: 'blob', data: 1 }));
  for (const stream of [1, 2]) {
    streams.receive(asReceived(plainFrame('REQUEST', stream, { payload })), 0);
  }
  return { streams, opened };
}

describe('an Answer', () => {
  it('refuses bytes that exceed the queue before it copies them', () => {
    const { streams, opened } = twoStreams();
    const [first, second] = opened;
    if (first === undefined || second === undefined) throw new Error('The requests were not handed over');
    first.next(encodeData(Buffer.alloc(60_000)), true);
    const answerFailed = vi.fn<(stream: ServerStream, error: unknown) => void>();
    const bytes = Buffer.alloc(500_000);
    const allocated = vi.spyOn(Buffer, 'allocUnsafeSlow');
    const failed = { handlerFailed: answerFailed, handlerForbidden: answerFailed, answerFailed };
    const host = { streams, flush: () => undefined, serializer: undefined, ...failed };
    const answer = new Answer(host, second);
    answer.only(bytes);
    expect(answerFailed).toHaveBeenCalledWith(second, expect.objectContaining({ code: 'ERR_ANSWER_OVERFLOW' }));
    expect(allocated.mock.calls.filter(([size]) => size >= bytes.length)).toEqual([]);
  });
});
