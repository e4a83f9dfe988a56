// The channels of node:diagnostics_channel that both ends publish calls to (docs/operations.md). Nothing is made for them
// without a subscriber. Messages have no payloads, and no texts of errors, which may quote them.
import { channel } from 'node:diagnostics_channel';

import { TransportError } from '@sealwire/channel';
import type { TransportErrorCode } from '@sealwire/channel';
import { clock } from '@sealwire/channel/internal';

type Side = 'client' | 'server';

/** `sealwire:<side>:call:start`, then `end` or `failed` with the same object, in which more is known then. */
export interface CallMessage {
  readonly kind: 'request' | 'event';
  /** The route; undefined if the pattern has none. */
  readonly pattern: string | undefined;
  /** Of the message and of its answer, before they are sealed. */
  readonly requestBytes: number;
  readonly answerBytes: number;
  /** Undefined at the start. */
  readonly durationMs: number | undefined;
  /** It has ended without a result: nobody waits for one anymore. */
  readonly isCancelled: boolean;
  /** Why it failed; undefined also for an error of the application. */
  readonly code: TransportErrorCode | undefined;
}

function channelsOf(side: Side) {
  return {
    start: channel(`sealwire:${side}:call:start`),
    end: channel(`sealwire:${side}:call:end`),
    failed: channel(`sealwire:${side}:call:failed`),
  };
}

const CHANNELS = { client: channelsOf('client'), server: channelsOf('server') };

/** One call that is observed. The first of `end`, `cancel` and `fail` ends it. */
export class CallTrace {
  readonly #side: Side;
  readonly #startMs = clock.nowMs();
  readonly #message: { -readonly [Field in keyof CallMessage]: CallMessage[Field] };

  private constructor(side: Side, kind: CallMessage['kind'], pattern: string | undefined) {
    this.#side = side;
    const counts = { requestBytes: 0, answerBytes: 0, durationMs: undefined };
    this.#message = { kind, pattern, ...counts, isCancelled: false, code: undefined };
  }

  /**
   * Undefined unless calls of this side have a subscriber.
   *
   * @param toRoute - May throw: the pattern is the caller's.
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

  addRequest(bytes: number): void {
    this.#message.requestBytes += bytes;
  }

  addAnswer(bytes: number): void {
    this.#message.answerBytes += bytes;
  }

  end(): void {
    if (this.#endTime()) CHANNELS[this.#side].end.publish(this.#message);
  }

  /** Nothing waits for its result anymore. */
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

  /** False if it has ended before. */
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

function codeOf(error: unknown): TransportErrorCode | undefined {
  return error instanceof TransportError ? error.code : undefined;
}
