// Serves the streams of one connection with a function from bytes to bytes, for applications without Nest.
import { Deadline } from '../deadline.js';
import { TransportError } from '../errors.js';
import { readSequence, readTimeout, SEQUENCE_BYTES, TIMEOUT_BYTES } from '../frame/prefix.js';
import { decodePlainCall, encodePlainAnswer, encodePlainError } from '../sending/plain-message.js';
import type { PlainCall } from '../sending/plain-message.js';
import type { EventWindow } from '../streams/event-window.js';
import type { ServerStream, StreamHandler } from '../streams/server-stream.js';
import type { PeerInfo } from './server-link.js';

export interface PlainRequest extends PlainCall {
  readonly kind: 'REQUEST' | 'EVENT';
  readonly peer: PeerInfo;
  /** Fires if the answer is not needed anymore: the client cancelled, the connection is over, or the timeout passed. */
  readonly signal: AbortSignal;
}

/**
 * Returns the answer to a request; what it returns for an event is ignored. If it throws or rejects, the client gets
 * "Internal server error" and nothing else: log it here.
 */
export type PlainAnswer = (request: PlainRequest) => Uint8Array | Promise<Uint8Array>;

/** The texts of docs/protocol.md §6.6. */
const MESSAGES = {
  ERR_ANSWER_OVERFLOW: 'The answer could not be queued: the client reads too slowly',
  ERR_MESSAGE_MALFORMED: 'The message is malformed',
  ERR_MESSAGE_TOO_LARGE: 'The answer is larger than the client accepts',
  ERR_OVERLOADED: 'The server is overloaded; the handler did not run',
  ERR_REQUEST_TIMEOUT: 'The request timed out',
  ERR_SHUTTING_DOWN: 'The server is shutting down; the handler did not run',
  ERR_STREAM_CUT: 'The server shut down before the answer was complete',
} as const;

interface Running {
  readonly abort: AbortController;
  readonly deadline: Deadline | undefined;
}

/** Returns what a `ChannelServer` calls to serve each connection: `createHandler: answerBytes((request) => …)`. */
export function answerBytes(answer: PlainAnswer): (peer: PeerInfo, window: EventWindow) => StreamHandler {
  return (peer, window) => new PlainHandler(answer, peer, window);
}

class PlainHandler implements StreamHandler {
  readonly #answer: PlainAnswer;
  readonly #peer: PeerInfo;
  readonly #window: EventWindow;
  readonly #running = new Map<ServerStream, Running>();

  constructor(answer: PlainAnswer, peer: PeerInfo, window: EventWindow) {
    this.#answer = answer;
    this.#peer = peer;
    this.#window = window;
  }

  /** The timeout of a request counts from its last frame here: {@link onRequest} starts it. */
  onRequestBegun(): void {}

  onRequest(stream: ServerStream, message: Buffer): void {
    const timeoutMs = readTimeout(message) ?? 0;
    void this.#run(stream, message, timeoutMs);
  }

  onEvent(stream: ServerStream, message: Buffer): void {
    const sequence = readSequence(message) ?? NaN;
    if (Number.isNaN(sequence)) fail(stream, 'ERR_MESSAGE_MALFORMED');
    else if (this.#window.has(sequence))
      stream.acknowledge(); // it came before, on another connection
    else void this.#run(stream, message, 0, sequence);
  }

  onNoMemory(stream: ServerStream): void {
    fail(stream, 'ERR_OVERLOADED');
  }

  onShutDown(stream: ServerStream): void {
    fail(stream, this.#running.has(stream) ? 'ERR_STREAM_CUT' : 'ERR_SHUTTING_DOWN');
    this.onCancelled(stream);
  }

  onCancelled(stream: ServerStream): void {
    this.#end(stream)?.abort.abort();
  }

  async #run(stream: ServerStream, message: Buffer, timeoutMs: number, sequence?: number): Promise<void> {
    const { kind } = stream;
    const abort = new AbortController();
    let call: PlainCall;
    try {
      call = decodePlainCall(message, kind === 'EVENT' ? SEQUENCE_BYTES : TIMEOUT_BYTES);
    } catch {
      fail(stream, 'ERR_MESSAGE_MALFORMED');
      return;
    }
    const expire = (): void => {
      fail(stream, 'ERR_REQUEST_TIMEOUT');
      this.onCancelled(stream);
    };
    const deadline = timeoutMs > 0 ? new Deadline(timeoutMs, expire) : undefined;
    this.#running.set(stream, { abort, deadline });
    if (sequence !== undefined) this.#window.admit(sequence);
    try {
      const body = this.#answer({ ...call, kind, peer: this.#peer, signal: abort.signal });
      if (kind === 'EVENT') stream.acknowledge(); // it was handed over
      const answer = await body;
      if (kind === 'REQUEST') reply(stream, answer);
    } catch {
      if (kind === 'EVENT') stream.acknowledge();
      else stream.error(encodePlainError({ message: 'Internal server error' }));
    } finally {
      this.#end(stream);
    }
  }

  #end(stream: ServerStream): Running | undefined {
    const running = this.#running.get(stream);
    running?.deadline?.clear();
    this.#running.delete(stream);
    return running;
  }
}

function fail(stream: ServerStream, code: keyof typeof MESSAGES): void {
  stream.fail(encodePlainError({ message: MESSAGES[code], code }));
}

function reply(stream: ServerStream, answer: Uint8Array): void {
  try {
    stream.next(encodePlainAnswer(answer), true);
  } catch (error) {
    const isOverflow = error instanceof TransportError && error.code === 'ERR_ANSWER_OVERFLOW';
    fail(stream, isOverflow ? 'ERR_ANSWER_OVERFLOW' : 'ERR_MESSAGE_TOO_LARGE');
  }
}
