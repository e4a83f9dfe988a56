// The channels of node:diagnostics_channel to which both ends publish calls (docs/operations.md). Without a subscriber
// nothing is allocated. Messages contain no payloads, and no error texts because these may quote payloads.
import { channel } from 'node:diagnostics_channel';

import type { TransportErrorCode } from '@sealwire/channel';
import { CallChannels, codeOf, ObservedCall } from '@sealwire/channel/internal';
import type { CallReport, Writable } from '@sealwire/channel/internal';

import type { Metadata } from './packet/message.js';

/** Both ends. */
export const SIDES = ['client', 'server'] as const;
export type Side = (typeof SIDES)[number];

/**
 * The message published on `sealwire:<side>:call:start`. The same object, updated, is published again on `end` or
 * `failed`.
 */
export interface CallMessage extends CallReport {
  /** The route; undefined if the pattern has none. */
  readonly pattern: string | undefined;
  /** At a client, the address of the server that has the call; undefined while the call waits for a connection. */
  readonly server: string | undefined;
  /** The length of the message before encryption. */
  readonly requestBytes: number;
  /** The length of all values of the answer before encryption. */
  readonly answerBytes: number;
  /** The number of attempts. At a client, it rises if the call moves to another connection; at a server, it is 1. */
  readonly attempts: number;
  /** Whether the call ended without a result because the caller cancelled it or the connection was lost. */
  readonly isCancelled: boolean;
  readonly code: TransportErrorCode | undefined;
}

/** The messages published on `sealwire:broker:call:*` by @sealwire/brokers, on which this library does not depend. */
export interface BrokerCall extends CallReport {
  readonly side: Side;
  readonly system: string;
  readonly pattern: string;
  readonly destination: string;
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

/** The message published on `sealwire:server:call:unhandled`. */
export interface UnhandledMessage {
  readonly kind: 'request' | 'event';
  /** `no_handler`: no handler has the pattern. `unreadable`: the message cannot be decoded, or is too complex. */
  readonly reason: 'no_handler' | 'unreadable';
  /** The pattern; undefined if it cannot be read. A client chooses it, so the number of different patterns has no limit. */
  readonly pattern: string | undefined;
}

const CHANNELS = {
  client: new CallChannels('sealwire:client:call'),
  server: new CallChannels('sealwire:server:call'),
};
const CALL_OVERLOADED = channel('sealwire:server:call:overloaded');
const CALL_UNHANDLED = channel('sealwire:server:call:unhandled');

export function publishCallOverloaded(kind: OverloadedMessage['kind'], pattern: string | undefined): void {
  if (!CALL_OVERLOADED.hasSubscribers) return;
  const message: OverloadedMessage = { kind, pattern };
  CALL_OVERLOADED.publish(message);
}

export function publishCallUnhandled(
  kind: UnhandledMessage['kind'],
  reason: UnhandledMessage['reason'],
  pattern?: string,
): void {
  if (!CALL_UNHANDLED.hasSubscribers) return;
  const message: UnhandledMessage = { kind, reason, pattern };
  CALL_UNHANDLED.publish(message);
}

/** An observed call of one end. */
export class CallTrace extends ObservedCall {
  readonly #message: Writable<CallMessage>;

  private constructor(side: Side, message: Writable<CallMessage>, metadata: Metadata | undefined) {
    super(CHANNELS[side], message, metadata);
    this.#message = message;
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
    if (!CHANNELS[side].hasSubscribers) return undefined;
    const route = routeIfAny(pattern, toRoute);
    const counts = { requestBytes: 0, answerBytes: 0, durationMs: undefined, attempts: 1 };
    const message = { kind, pattern: route, server: undefined, ...counts, isCancelled: false, code: undefined };
    return new CallTrace(side, message, metadata);
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

  fail(error: unknown): void {
    this.failWith(codeOf(error));
  }
}

function routeIfAny<Pattern>(pattern: Pattern, toRoute: (pattern: Pattern) => string): string | undefined {
  try {
    return toRoute(pattern);
  } catch {
    return undefined;
  }
}
