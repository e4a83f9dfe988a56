import { AsyncResource } from 'node:async_hooks';

import type { ClientStream } from '@sealwire/channel';
import { closed, closedBefore, Deadline, requestTimedOut } from '@sealwire/channel/internal';
import type { Links } from '@sealwire/channel/internal';
import type { Subscriber } from 'rxjs';

import type { CallTrace } from '../diagnostics.js';

type Kind = ClientStream['kind'];
/** @param kind - Of the call that waits. */
type Connect = (kind: Kind, signal?: AbortSignal) => Promise<void>;

export interface WaitingRequest {
  /** The timeout for the wait and the answer together; 0: none. */
  readonly timeoutMs: number;
  readonly trace: CallTrace | undefined;
  /** Sends the request with the time that is left. Returns a function that cancels it. */
  readonly start: (leftMs: number | undefined) => () => void;
}

export interface WaitingEvent<T> {
  /** Returns the timeout for the wait and the acknowledgement together; 0: none. */
  readonly readTimeoutMs: () => number;
  /** Sends the event with the time that is left; undefined if it did not wait. */
  readonly start: (leftMs: number | undefined) => Promise<T>;
}

/** Holds calls back until there is a connection, and starts them in FIFO order. */
export class ConnectionGate {
  readonly #links: Links;
  readonly #connect: Connect;
  /** Functions that each fail a waiting request in the async context of its caller. */
  readonly #refusals = new Set<() => void>();
  readonly #onEventsStarted: (() => void)[] = [];
  #waitingRequests = 0;
  #waitingEvents = 0;

  /** @param connect - The method of the client, which a subclass may override. */
  constructor(links: Links, connect: Connect) {
    this.#links = links;
    this.#connect = connect;
  }

  /**
   * Returns whether a call may start immediately: there is a connection, and no earlier call is about to start. A
   * request passes events that still wait for their server.
   */
  isOpenFor(kind: Kind): boolean {
    // Not pick() for a request, which takes a turn of the servers.
    if (this.#waitingRequests > 0 || this.#links.open === undefined) return false;
    const eventsWait = this.#links.pick('EVENT') === undefined;
    return kind === 'EVENT' ? !eventsWait && this.#waitingEvents === 0 : eventsWait || this.#waitingEvents === 0;
  }

  /** Resolves when every waiting event has started or failed; undefined if no event waits. */
  get whenEventsStarted(): Promise<void> | undefined {
    if (this.#waitingEvents === 0) return undefined;
    return new Promise((resolve) => this.#onEventsStarted.push(resolve));
  }

  /** Starts an event once there is a connection. Rejects at its timeout, and as `connect` and `start` do. */
  async runEvent<T>({ readTimeoutMs, start }: WaitingEvent<T>): Promise<T> {
    if (this.isOpenFor('EVENT')) return start(undefined);
    const timeoutMs = readTimeoutMs();
    const abort = new AbortController();
    const expire = (): void => abort.abort(requestTimedOut(timeoutMs, false));
    const deadline = timeoutMs > 0 ? new Deadline(timeoutMs, expire) : undefined;
    const startInTime = (): Promise<T> => {
      abort.signal.throwIfAborted();
      return start(deadline?.leftMs);
    };
    this.#waitingEvents += 1;
    return this.#wait(
      'EVENT',
      startInTime,
      () => {
        deadline?.clear();
        this.#waitingEvents -= 1;
        if (this.#waitingEvents === 0) for (const resolve of this.#onEventsStarted.splice(0)) resolve();
      },
      abort.signal,
    );
  }

  /** Starts a request once there is a connection. The wait ends early if the caller unsubscribes or the timeout expires. */
  runRequest({ timeoutMs, trace, start }: WaitingRequest, subscriber: Subscriber<unknown>): void {
    const abort = new AbortController();
    const fail = (error: unknown): void => {
      trace?.fail(error);
      subscriber.error(error);
    };
    const deadline = timeoutMs > 0 ? new Deadline(timeoutMs, () => fail(requestTimedOut(timeoutMs, false))) : undefined;
    const refuse = AsyncResource.bind(() => fail(closed()));
    subscriber.add(() => {
      deadline?.clear();
      this.#refusals.delete(refuse);
      abort.abort();
    });
    this.#refusals.add(refuse);
    const startUnlessClosed = (): void => {
      deadline?.clear();
      if (subscriber.closed) return;
      subscriber.add(start(deadline?.leftMs));
    };
    const onWaitEnd = (): void => {
      this.#waitingRequests -= 1;
      this.#refusals.delete(refuse);
    };
    this.#waitingRequests += 1;
    this.#wait('REQUEST', startUnlessClosed, onWaitEnd, abort.signal).catch(fail);
  }

  /** Fails the waiting requests because the client closes. Events keep waiting. */
  refuseRequests(): void {
    for (const refuse of this.#refusals) refuse();
  }

  /** Calls `start` in the same turn in which the wait ends, so that no later call can start first. */
  async #wait<T>(kind: Kind, start: () => T | Promise<T>, onWaitEnd: () => void, signal?: AbortSignal): Promise<T> {
    const { closes } = this.#links;
    try {
      await this.#connect(kind, signal);
    } finally {
      onWaitEnd();
    }
    if (this.#links.closes !== closes) throw closedBefore();
    return start();
  }
}
