// The channels of node:diagnostics_channel for calls (docs/brokers.md). Without a subscriber nothing is allocated. Messages
// contain no payloads, and no error texts because these may quote payloads.
import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';

import { clock, codeOf, isObject, isWireError } from '@sealwire/channel/internal';

import type { RefusedMessage } from './diagnostics.js';
import { BrokerError, STORE_ERROR } from './errors.js';

/**
 * The message published on `sealwire:broker:call:start`. The same object, updated, is published again on `end` or
 * `failed`.
 */
export interface BrokerCallMessage {
  readonly side: RefusedMessage['side'];
  readonly kind: 'request' | 'event';
  /** The pattern, in the form in which a client sends it. */
  readonly pattern: string;
  /** The length of the sealed request or event. At a client, 0 until it is sealed. */
  readonly bytes: number;
  /** The duration of the call; undefined at the start. */
  readonly durationMs: number | undefined;
  /** Whether the call ended without a result, because the caller has unsubscribed. */
  readonly isCancelled: boolean;
  /** The code of a failure of the transport; undefined if the call succeeded or the application failed. */
  readonly code: string | undefined;
}

const START = channel('sealwire:broker:call:start');
const END = channel('sealwire:broker:call:end');
const FAILED = channel('sealwire:broker:call:failed');

/** The call whose message is sealed now. */
const sending = new AsyncLocalStorage<CallTrace>();

/** An observed call. The first call of `end`, `cancel` or `fail` ends it. */
export class CallTrace {
  readonly #startMs = clock.nowMs();
  readonly #message: { -readonly [Field in keyof BrokerCallMessage]: BrokerCallMessage[Field] };

  private constructor(start: CallStart) {
    this.#message = { bytes: 0, durationMs: undefined, isCancelled: false, code: undefined, ...start };
  }

  /** Starts a trace; returns undefined if calls have no subscriber. */
  static start(start: CallStart): CallTrace | undefined {
    if (!START.hasSubscribers && !END.hasSubscribers && !FAILED.hasSubscribers) return undefined;
    const trace = new CallTrace(start);
    START.publish(trace.#message);
    return trace;
  }

  /** Adds the length of a sealed message to the call that is sent now, if it is observed. */
  static noteSealed(bytes: number): void {
    const trace = sending.getStore();
    // A message that is sealed later in the same async context belongs to something else.
    if (trace !== undefined && trace.#message.bytes === 0) trace.#message.bytes = bytes;
  }

  /** Runs Nest's sending of the call. */
  run<T>(send: () => T): T {
    return sending.run(this, send);
  }

  end(): void {
    if (this.#endTime()) END.publish(this.#message);
  }

  /** Ends the trace of a call whose caller does not wait any more. */
  cancel(): void {
    if (!this.#endTime()) return;
    this.#message.isCancelled = true;
    END.publish(this.#message);
  }

  fail(error: unknown): void {
    if (!this.#endTime()) return;
    this.#message.code = codeOfFailure(error);
    FAILED.publish(this.#message);
  }

  /** Sets the duration; returns false if the trace had ended before. */
  #endTime(): boolean {
    if (this.#message.durationMs !== undefined) return false;
    this.#message.durationMs = clock.nowMs() - this.#startMs;
    return true;
  }
}

type CallStart = Pick<BrokerCallMessage, 'side' | 'kind' | 'pattern'> & { readonly bytes?: number };

function codeOfFailure(error: unknown): string | undefined {
  if (error instanceof BrokerError || isWireError(error)) return error.code;
  return isStoreError(error) ? STORE_ERROR.code : codeOf(error);
}

/** A client gets a copy of it. */
function isStoreError(error: unknown): boolean {
  return isObject(error) && error['status'] === STORE_ERROR.status && error['code'] === STORE_ERROR.code;
}
