// The client of the secure channel for applications without Nest: requests and events of raw bytes.
import { guarded } from '@sealwire/crypto/internal';

import { CallQueue } from '../calls/call-queue.js';
import { PlainCall } from '../calls/plain-call.js';
import type { PlainCallOptions } from '../calls/plain-call.js';
import { clock, MAX_TIMER_MS } from '../clock.js';
import { takeCodec } from '../connection/sealing.js';
import { forgetOwnClient, noteOwnClient } from '../instances.js';
import { DELIVERY, resolveChannelOptions } from '../options/channel-options.js';
import type { ChannelClientOptions, Delivery } from '../options/channel-options.js';
import { checkLimit } from '../options/limit-check.js';
import type { Limits } from '../options/limits.js';
import { checkCallbacks, checkOption, checkOptions, checkPaths, FLAG, OBJECT } from '../options/option-check.js';
import { Pool } from '../pool/pool.js';
import { encodePlainCall } from '../sending/plain-message.js';
import { within } from '../within.js';
import type { ClientConnectionEvent } from './connection-event.js';
import { Dialer } from './dialer.js';
import type { Links } from './links.js';

/** The callbacks of a client. If one throws, the process emits a warning, and the client continues. */
export interface ChannelClientEvents {
  /** Called for each change of a connection, in order. */
  readonly onConnectionEvent?: (event: ClientConnectionEvent) => void;
  /** Called with each warning about the keys, and with the reason if a changed key file was not loaded. */
  readonly warn?: (message: string) => void;
}

/** The options of one request. */
export interface PlainRequestOptions {
  /**
   * The timeout of the request, enforced at both ends, including the wait for a connection. Default: 0 (no timeout).
   */
  readonly timeoutMs?: number;
  /**
   * Whether running the handler twice is safe; see {@link ChannelClientOptions.idempotent}. Default: the client's
   * `idempotent`.
   */
  readonly idempotent?: boolean;
}

/** The options of one event. */
export interface PlainEventOptions {
  /**
   * The timeout of the event until its acknowledgement, including the wait for a connection. Default: 0 (no timeout).
   */
  readonly timeoutMs?: number;
  /** The delivery of this event. Default: the client's `delivery`. */
  readonly delivery?: Delivery;
}

/**
 * A client of raw bytes. It connects with the first call. After a loss it connects again with the next call, or
 * automatically if `redial` is set.
 */
export class ChannelClient {
  readonly #dialer: Dialer;
  readonly #links: Links;
  readonly #limits: Limits;
  readonly #queue: CallQueue;
  readonly #idempotent: boolean;
  readonly #delivery: Delivery;
  readonly #report: (event: ClientConnectionEvent) => void;

  /** @throws {TransportError} `ERR_BAD_OPTION` */
  constructor(options: ChannelClientOptions, events: ChannelClientEvents = {}) {
    this.#limits = resolveChannelOptions(options, 'client');
    checkCallbacks(events, ['onConnectionEvent', 'warn']);
    const { instance } = (this.#dialer = new Dialer(options, {
      limits: this.#limits,
      createCodec: takeCodec,
      warn: guarded('The callback warn()', events.warn),
    }));
    const { idempotent = false, delivery = 'acknowledged' } = options;
    this.#idempotent = idempotent;
    this.#delivery = delivery;
    const report = (this.#report = guarded('The callback onConnectionEvent()', events.onConnectionEvent));
    this.#links = new Pool({
      servers: this.#dialer.servers,
      open: (...dial) => this.#dialer.open(...dial),
      limits: this.#limits,
      kept: this.#dialer.sequences,
      emit: (event) => {
        if (event.type === 'connecting') noteOwnClient(instance.publicKey); // also after `close`
        report(event);
      },
    });
    this.#queue = new CallQueue(this.#links, this.#limits);
  }

  /**
   * Sends a request and resolves to its answer, or to the last value if the answer has several.
   *
   * @param body - Copied.
   * @throws {TransportError} A failure of the transport; `sent` says whether a handler may have run.
   * @throws {Error} The failure of the server's handler, with the text that the server sent.
   */
  async request(pattern: string, body: Uint8Array, options: PlainRequestOptions = {}): Promise<Buffer> {
    checkOption('The options argument', options, OBJECT);
    checkPaths(options, ['timeoutMs', 'idempotent']);
    checkOptions(options, { idempotent: FLAG });
    const { timeoutMs = 0, idempotent = this.#idempotent } = options;
    checkLimit('timeoutMs', timeoutMs, 0, MAX_TIMER_MS);
    return this.#call({ kind: 'REQUEST', queue: this.#queue, mayRepeat: idempotent }, pattern, body, timeoutMs);
  }

  /**
   * Sends an event, and resolves when the server has acknowledged it. A server of this package does so after its
   * handler has settled, a Nest server after its handlers were called. Throws the same errors as {@link request},
   * except that of a handler, because the event is acknowledged in any case. With `delivery: 'sent'` it resolves earlier,
   * and `onConnectionEvent` reports a later failure as `eventFailed`.
   */
  async emit(pattern: string, body: Uint8Array, options: PlainEventOptions = {}): Promise<void> {
    checkOption('The options argument', options, OBJECT);
    checkPaths(options, ['timeoutMs', 'delivery']);
    checkOptions(options, { delivery: DELIVERY });
    const { timeoutMs = 0, delivery = this.#delivery } = options;
    checkLimit('timeoutMs', timeoutMs, 0, MAX_TIMER_MS);
    const report = (error: unknown): void => this.#report({ type: 'eventFailed', pattern, error });
    const onLost = delivery === 'sent' ? report : undefined;
    const call = { kind: 'EVENT', queue: this.#queue, mayRepeat: delivery === 'at-least-once', onLost } as const;
    await this.#call(call, pattern, body, timeoutMs);
  }

  /**
   * Waits for running calls, up to `timeouts.drainMs`. Events that wait for a connection are sent first; requests that
   * wait for one, and answers with several values, fail immediately with `ERR_CLIENT_CLOSED`. The client may be used
   * again.
   */
  async close(): Promise<void> {
    const endMs = clock.nowMs() + this.#limits.drainMs;
    this.#queue.close();
    const { whenEventsStarted } = this.#queue;
    if (whenEventsStarted !== undefined) await within(this.#limits.drainMs, whenEventsStarted);
    const whenClosed = this.#links.close(Math.max(0, endMs - clock.nowMs()));
    this.#links.endSeries();
    await whenClosed;
    if (this.#links.counts().state !== 'idle') return;
    forgetOwnClient(this.#dialer.instance.publicKey);
    this.#dialer.close();
  }

  #call(call: PlainCallOptions, pattern: string, body: Uint8Array, timeoutMs: number): Promise<Buffer> {
    const message = encodePlainCall(call.kind, pattern, body);
    return new Promise((resolve, reject) => {
      new PlainCall(call, { resolve, reject }).run(message, timeoutMs);
    });
  }
}
