// The channels of node:diagnostics_channel to which both ends publish calls (docs/operations.md). Without a subscriber
// nothing is allocated. Messages contain no payloads, and no error texts because these may quote payloads.
import { channel } from 'node:diagnostics_channel';

import type { TransportErrorCode } from '@sealwire/channel';
import { clock, codeOf } from '@sealwire/channel/internal';

type Side = 'client' | 'server';

/**
 * The message published on `sealwire:<side>:call:start`. The same object, updated, is published again on `end` or
 * `failed`.
 */
export interface CallMessage {
  readonly kind: 'request' | 'event';
  /** The route; undefined if the pattern has none. */
  readonly pattern: string | undefined;
  /** At a client: the address of the server that has the call; undefined while it waits for a connection. */
  readonly server: string | undefined;
  /** The sizes of the message and of its answer before encryption. */
  readonly requestBytes: number;
  readonly answerBytes: number;
  /** Undefined at the start. */
  readonly durationMs: number | undefined;
  /** The number of attempts: more than 1 at a client if the call moved to another connection, always 1 at a server. */
  readonly attempts: number;
  /** Whether the call ended without a result because the caller cancelled it or the connection was lost. */
  readonly isCancelled: boolean;
  /** The code of a transport failure; undefined if the call succeeded or the application failed. */
  readonly code: TransportErrorCode | undefined;
}

/** `sealwire:server:call:overloaded`. */
export interface OverloadedMessage {
  readonly kind: 'request' | 'event';
  /** Chosen by the client, so there is no limit to the number of different ones; undefined if it had not arrived yet. */
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

/** An observed call. The first call of `end`, `cancel` or `fail` ends it. */
export class CallTrace {
  readonly #side: Side;
  readonly #startMs = clock.nowMs();
  readonly #message: { -readonly [Field in keyof CallMessage]: CallMessage[Field] };

  private constructor(side: Side, kind: CallMessage['kind'], pattern: string | undefined) {
    this.#side = side;
    const counts = { requestBytes: 0, answerBytes: 0, durationMs: undefined };
    this.#message = { kind, pattern, server: undefined, ...counts, attempts: 1, isCancelled: false, code: undefined };
  }

  /**
   * Starts a trace; returns undefined if the calls of this side have no subscriber.
   *
   * @param toRoute - May throw, because the pattern is user input.
   */
  static start<Pattern>(
    side: Side,
    kind: CallMessage['kind'],
    pattern: Pattern,
    toRoute: (pattern: Pattern) => string,
  ): CallTrace | undefined {
    const { start, end, failed } = CHANNELS[side];
    if (!start.hasSubscribers && !end.hasSubscribers && !failed.hasSubscribers) return undefined;
    const trace = new CallTrace(side, kind, routeIfAny(pattern, toRoute));
    start.publish(trace.#message);
    return trace;
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
