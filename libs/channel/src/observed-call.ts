// Calls that are published on channels of node:diagnostics_channel: by @sealwire/transport those of the channel, by
// @sealwire/brokers those through a broker. Messages contain no payloads, and no error texts because these may quote payloads.
import { channel } from 'node:diagnostics_channel';

import { clock } from './clock.js';

/** The members that the messages of all calls have. Each message is published at the start and, updated, once more at the end. */
export interface CallReport {
  readonly kind: 'request' | 'event';
  /** The duration of the call; undefined at the start. */
  readonly durationMs: number | undefined;
  /** Whether the call ended without a result. */
  readonly isCancelled: boolean;
  /** The code of a failure of the transport; undefined if the call succeeded or the application failed. */
  readonly code: string | undefined;
}

/** A message that is not published for the last time yet. */
export type Writable<Report> = { -readonly [Field in keyof Report]: Report[Field] };

/** Entries that travel next to the payload of a call. */
type Metadata<Value> = Readonly<Record<string, Value>>;

/** Runs work, and returns its result. */
type Surround = <T>(work: () => T) => T;

/** The channels for the calls of one kind of ends. */
export class CallChannels {
  readonly start;
  readonly end;
  readonly failed;

  /** @param prefix - For example `sealwire:client:call`. */
  constructor(prefix: string) {
    this.start = channel(`${prefix}:start`);
    this.end = channel(`${prefix}:end`);
    this.failed = channel(`${prefix}:failed`);
  }

  /** Without a subscriber no call is observed, and nothing is allocated. */
  get hasSubscribers(): boolean {
    return this.start.hasSubscribers || this.end.hasSubscribers || this.failed.hasSubscribers;
  }
}

/** A call that has subscribers. The first call of `end`, `cancel` or `failWith` ends it. */
export class ObservedCall {
  /** By message, because metadata are not published: an application may send a secret in them. */
  static readonly #calls = new WeakMap<object, ObservedCall>();

  /** At a server: as the client has sent them. */
  readonly metadata: Metadata<unknown> | undefined;
  readonly #channels: CallChannels;
  readonly #startMs = clock.nowMs();
  readonly #report: Writable<CallReport>;
  #attached: Metadata<string> | undefined;
  #surround: Surround = (work) => work();

  protected constructor(channels: CallChannels, report: Writable<CallReport>, metadata: Metadata<unknown> | undefined) {
    this.#channels = channels;
    this.#report = report;
    this.metadata = metadata;
    ObservedCall.#calls.set(report, this);
    channels.start.publish(report);
  }

  /** Returns the call of a published message. */
  static of(report: CallReport): ObservedCall | undefined {
    return ObservedCall.#calls.get(report);
  }

  /** Adds entries to the metadata of the call, at a client during `start`. */
  attach(entries: Metadata<string>): void {
    this.#attached = entries;
  }

  /** Returns the metadata of the call with the attached entries, of which the application may have set some itself. */
  withAttached<Value>(metadata: Metadata<Value> | undefined): Metadata<Value | string> | undefined {
    return this.#attached === undefined ? metadata : { ...this.#attached, ...metadata };
  }

  /** Lets the handler run within `surround`, at a server during `start`. */
  surround(surround: Surround): void {
    this.#surround = surround;
  }

  run<T>(work: () => T): T {
    return this.#surround(work);
  }

  end(): void {
    if (this.#endTime()) this.#channels.end.publish(this.#report);
  }

  /** Ends a call that was cancelled, timed out or lost. */
  cancel(): void {
    if (!this.#endTime()) return;
    this.#report.isCancelled = true;
    this.#channels.end.publish(this.#report);
  }

  protected failWith(code: string | undefined): void {
    if (!this.#endTime()) return;
    this.#report.code = code;
    this.#channels.failed.publish(this.#report);
  }

  /** Sets the duration; returns false if the call had ended before. */
  #endTime(): boolean {
    if (this.#report.durationMs !== undefined) return false;
    this.#report.durationMs = clock.nowMs() - this.#startMs;
    return true;
  }
}
