// The channels of node:diagnostics_channel to which both ends publish calls (docs/operations.md). Without a subscriber
// nothing is allocated. Messages contain no payloads, and no error texts because these may quote payloads.
import { channel } from 'node:diagnostics_channel';

import type { TransportErrorCode } from '@sealwire/channel';
import { clock, codeOf } from '@sealwire/channel/internal';

import type { Metadata } from './packet/message.js';

type Side = 'client' | 'server';

/**
 * The message published on `sealwire:<side>:call:start`. The same object, updated, is published again on `end` or
 * `failed`.
 */
export interface CallMessage {
  readonly kind: 'request' | 'event';
  /** The route; undefined if the pattern has none. */
  readonly pattern: string | undefined;
  /** At a client, the address of the server that has the call; undefined while the call waits for a connection. */
  readonly server: string | undefined;
  /** The length of the message before encryption. */
  readonly requestBytes: number;
  /** The length of all values of the answer before encryption. */
  readonly answerBytes: number;
  /** The duration of the call; undefined at the start. */
  readonly durationMs: number | undefined;
  /** The number of attempts. At a client, it rises if the call moves to another connection; at a server, it is 1. */
  readonly attempts: number;
  /** Whether the call ended without a result because the caller cancelled it or the connection was lost. */
  readonly isCancelled: boolean;
  /** The code of a transport failure; undefined if the call succeeded or the application failed. */
  readonly code: TransportErrorCode | undefined;
}

/** The message published on `sealwire:server:call:overloaded`. */
export interface OverloadedMessage {
  readonly kind: 'request' | 'event';
  /**
   * The pattern; undefined if it had not arrived yet. A client chooses it, so the number of different patterns has no
   * limit.
   */
  readonly pattern: string | undefined;
}

function channelsOf(side: Side) {
  return {
    start: channel(`sealwire:${side}:call:start`),
    end: channel(`sealwire:${side}:call:end`),
    failed: channel(`sealwire:${side}:call:failed`),
  };
}

const CHANNELS = { client: channelsOf('client'), server: channelsOf('server') };
const CALL_OVERLOADED = channel('sealwire:server:call:overloaded');

export function publishCallOverloaded(kind: OverloadedMessage['kind'], pattern: string | undefined): void {
  if (!CALL_OVERLOADED.hasSubscribers) return;
  const message: OverloadedMessage = { kind, pattern };
  CALL_OVERLOADED.publish(message);
}

/** Runs work, and returns its result. */
type Surround = <T>(work: () => T) => T;

/** An observed call. The first call of `end`, `cancel` or `fail` ends it. */
export class CallTrace {
  /** By message, because metadata are not published: an application may send a secret in them. */
  static readonly #traces = new WeakMap<CallMessage, CallTrace>();

  /** At a server: the metadata of the client. */
  readonly metadata: Metadata | undefined;
  readonly #side: Side;
  readonly #startMs = clock.nowMs();
  readonly #message: { -readonly [Field in keyof CallMessage]: CallMessage[Field] };

  #attached: Metadata | undefined;
  #surround: Surround = (work) => work();

  private constructor(
    side: Side,
    kind: CallMessage['kind'],
    pattern: string | undefined,
    metadata: Metadata | undefined,
  ) {
    this.#side = side;
    this.metadata = metadata;
    const counts = { requestBytes: 0, answerBytes: 0, durationMs: undefined };
    this.#message = { kind, pattern, server: undefined, ...counts, attempts: 1, isCancelled: false, code: undefined };
  }

  /**
   * Starts a trace; returns undefined if the calls of this side have no subscriber.
   *
   * @param toRoute - May throw, because the pattern is user input.
   * @param metadata - At a server: as received.
   */
  static start<Pattern>(
    side: Side,
    kind: CallMessage['kind'],
    pattern: Pattern,
    toRoute: (pattern: Pattern) => string,
    metadata?: Metadata,
  ): CallTrace | undefined {
    const { start, end, failed } = CHANNELS[side];
    if (!start.hasSubscribers && !end.hasSubscribers && !failed.hasSubscribers) return undefined;
    const trace = new CallTrace(side, kind, routeIfAny(pattern, toRoute), metadata);
    CallTrace.#traces.set(trace.#message, trace);
    start.publish(trace.#message);
    return trace;
  }

  /** Returns the trace of a published call. */
  static of(message: CallMessage): CallTrace | undefined {
    return CallTrace.#traces.get(message);
  }

  /** At a client, during `start`: adds entries to the metadata of the call. */
  attach(entries: Metadata): void {
    this.#attached = entries;
  }

  /** Returns the metadata of the call with the attached entries, of which the application may have set some itself. */
  withAttached(metadata: Metadata | undefined): Metadata | undefined {
    return this.#attached === undefined ? metadata : { ...this.#attached, ...metadata };
  }

  /** At a server, during `start`: lets the handler run within `surround`. */
  surround(surround: Surround): void {
    this.#surround = surround;
  }

  run<T>(work: () => T): T {
    return this.#surround(work);
  }

  setServer(server: string | undefined): void {
    this.#message.server = server;
  }

  addRequest(bytes: number): void {
    this.#message.requestBytes += bytes;
  }

  addAttempt(): void {
    this.#message.attempts += 1;
  }

  addAnswer(bytes: number): void {
    this.#message.answerBytes += bytes;
  }

  end(): void {
    if (this.#endTime()) CHANNELS[this.#side].end.publish(this.#message);
  }

  /** Ends the trace of a call that was cancelled, timed out or lost. */
  cancel(): void {
    if (!this.#endTime()) return;
    this.#message.isCancelled = true;
    CHANNELS[this.#side].end.publish(this.#message);
  }

  fail(error: unknown): void {
    if (!this.#endTime()) return;
    this.#message.code = codeOf(error);
    CHANNELS[this.#side].failed.publish(this.#message);
  }

  /** Sets the duration; returns false if the trace had ended before. */
  #endTime(): boolean {
    if (this.#message.durationMs !== undefined) return false;
    this.#message.durationMs = clock.nowMs() - this.#startMs;
    return true;
  }
}

function routeIfAny<Pattern>(pattern: Pattern, toRoute: (pattern: Pattern) => string): string | undefined {
  try {
    return toRoute(pattern);
  } catch {
    return undefined;
  }
}
