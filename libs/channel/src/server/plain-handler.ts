// Serves the streams of one connection with a function from bytes to bytes, for applications without Nest.
import { AsyncResource } from 'node:async_hooks';

import { report } from '@sealwire/crypto/internal';

import { clock } from '../clock.js';
import { Deadline } from '../deadline.js';
import { publishCallForbidden } from '../diagnostics.js';
import { readSequence, readTimeout } from '../frame/prefix.js';
import { decodePlainCall, encodeHandlerFailure, encodePlainAnswer, encodeWireError } from '../sending/plain-message.js';
import type { PlainCall } from '../sending/plain-message.js';
import { answerCodeOf } from '../sending/wire-error.js';
import type { RefusalCode, WireErrorCode } from '../sending/wire-error.js';
import type { EventWindow } from '../streams/events/event-window.js';
import type { ServerStream, StreamHandler } from '../streams/server-stream.js';
import type { RunningInConnection } from './running-in-connection.js';
import type { Peer, PeerInfo } from './server-link.js';

/** A request or an event of a client, as the handler of a pattern receives it. */
export interface PlainRequest extends PlainCall {
  readonly kind: 'REQUEST' | 'EVENT';
  readonly peer: PeerInfo;
  /**
   * A signal that fires when the answer is no longer needed: the client cancelled, the connection ended, or the timeout
   * passed.
   */
  readonly signal: AbortSignal;
}

/**
 * Returns the answer to a request; its result for an event is ignored. If it throws or rejects, the client gets only
 * "Internal server error", and the server logs nothing. It is called in a separate async context.
 */
export type PlainAnswer = (request: PlainRequest) => Uint8Array | Promise<Uint8Array>;

interface Running {
  readonly abort: AbortController;
  readonly scope: AsyncResource;
}

/** The memory of a handler in addition to its message. */
const HANDLER_BYTES = 1_024;

export interface PlainHandlerOptions {
  readonly answer: PlainAnswer;
  readonly peer: Peer;
  readonly window: EventWindow;
  readonly limit: RunningInConnection;
}

export class PlainHandler implements StreamHandler {
  readonly #options: PlainHandlerOptions;
  readonly #running = new Map<ServerStream, Running>();
  /** The deadlines of requests with a timeout, which start with their first frames (R6.20). */
  readonly #deadlines = new Map<ServerStream, Deadline>();

  constructor(options: PlainHandlerOptions) {
    this.#options = options;
  }

  onRequestBegun(stream: ServerStream, timeoutMs: number): void {
    if (timeoutMs === 0 || this.#deadlines.has(stream)) return;
    const leftMs = stream.firstFrameMs + timeoutMs - clock.nowMs();
    if (leftMs <= 0) this.#cut(stream, 'ERR_REQUEST_TIMEOUT');
    else this.#deadlines.set(stream, new Deadline(leftMs, () => this.#cut(stream, 'ERR_REQUEST_TIMEOUT')));
  }

  onRequest(stream: ServerStream, message: Buffer): void {
    this.onRequestBegun(stream, readTimeout(message) ?? 0);
    if (!stream.isRunning) return; // its timeout has passed
    const code = this.#start(stream, message);
    if (code !== undefined) this.#cut(stream, code);
  }

  onEvent(stream: ServerStream, message: Buffer): void {
    const sequence = readSequence(message) ?? NaN;
    const isNew = !Number.isNaN(sequence) && !this.#options.window.has(sequence);
    const code = isNew ? this.#start(stream, message, sequence) : undefined;
    if (!isNew || code !== undefined) this.#refuseEvent(stream, sequence, code ?? 'ERR_MESSAGE_MALFORMED');
  }

  onNoMemory(stream: ServerStream, begun: Buffer): void {
    if (stream.kind === 'REQUEST') this.#cut(stream, 'ERR_OVERLOADED');
    else this.#refuseEvent(stream, readSequence(begun) ?? NaN, 'ERR_OVERLOADED');
  }

  onShutDown(stream: ServerStream, begun: Buffer | undefined): void {
    const isRunning = this.#running.has(stream);
    if (stream.kind === 'REQUEST') this.#cut(stream, isRunning ? 'ERR_STREAM_CUT' : 'ERR_SHUTTING_DOWN');
    else if (isRunning) {
      stream.acknowledge(); // it was passed on
      this.onCancelled(stream);
    } else {
      const sequence = begun && readSequence(begun);
      if (sequence !== undefined) this.#refuseEvent(stream, sequence, 'ERR_SHUTTING_DOWN'); // without one there is no answer
    }
  }

  /** Aborts the signal of a handler. The handler keeps its place until it has ended. */
  onCancelled(stream: ServerStream): void {
    const running = this.#end(stream);
    running?.scope.runInAsyncScope(() => running.abort.abort());
  }

  /** @returns Why the message is refused; undefined if its handler runs. @param sequence - Of an event. */
  #start(stream: ServerStream, message: Buffer, sequence?: number): RefusalCode | undefined {
    const { window, limit, peer } = this.#options;
    let call: PlainCall;
    try {
      if (limit.isFullForRequests) return 'ERR_OVERLOADED'; // before its bytes are copied
      call = decodePlainCall(stream.kind, message);
    } catch {
      return 'ERR_MESSAGE_MALFORMED';
    }
    if (!peer.allows(call.pattern)) {
      publishCallForbidden(peer, stream.kind === 'REQUEST' ? 'request' : 'event', call.pattern);
      return 'ERR_FORBIDDEN';
    }
    if (sequence !== undefined) window.admit(sequence);
    const scope = new AsyncResource('SEALWIRE_MESSAGE');
    const abort = new AbortController();
    this.#running.set(stream, { abort, scope });
    const bytes = message.length + HANDLER_BYTES;
    limit.take(bytes);
    const settle = (): void => {
      limit.release(bytes);
      this.#end(stream);
    };
    void scope.runInAsyncScope(() => this.#run(stream, call, abort.signal)).finally(settle);
    return undefined;
  }

  /**
   * Runs a handler. An event is acknowledged when its handler has settled, so that the slots of the client limit the
   * handlers that run for the client.
   */
  async #run(stream: ServerStream, call: PlainCall, signal: AbortSignal): Promise<void> {
    const { kind } = stream;
    const { answer, peer } = this.#options;
    try {
      const body: unknown = await answer({ ...call, kind, peer, signal });
      if (kind === 'EVENT') stream.acknowledge();
      else reply(stream, body);
    } catch {
      if (kind === 'EVENT') stream.acknowledge();
      else stream.error(encodeHandlerFailure());
    }
  }

  /** Acknowledges the event instead if it was handed over before, perhaps on another connection. */
  #refuseEvent(stream: ServerStream, sequence: number, code: RefusalCode): void {
    if (Number.isNaN(sequence)) stream.fail(encodeWireError('ERR_MESSAGE_MALFORMED'));
    else if (this.#options.window.has(sequence)) stream.acknowledge();
    else stream.fail(encodeWireError(code));
  }

  #cut(stream: ServerStream, code: WireErrorCode): void {
    stream.fail(encodeWireError(code));
    this.onCancelled(stream);
  }

  #end(stream: ServerStream): Running | undefined {
    const running = this.#running.get(stream);
    this.#deadlines.get(stream)?.clear();
    this.#deadlines.delete(stream);
    this.#running.delete(stream);
    return running;
  }
}

function reply(stream: ServerStream, answer: unknown): void {
  if (!stream.isRunning) return; // cancelled, or too late
  try {
    if (answer instanceof Uint8Array) stream.checkRoom(answer.byteLength); // before it is copied
    stream.next(encodePlainAnswer(answer), true);
  } catch (error) {
    const code = answerCodeOf(error);
    if (code === 'ERR_MESSAGE_UNSERIALIZABLE') report('The answer callback of a channel server', error);
    stream.fail(encodeWireError(code));
  }
}
