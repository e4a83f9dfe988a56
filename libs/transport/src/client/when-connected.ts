import { AsyncResource } from 'node:async_hooks';

import { closed, Deadline } from '@sealwire/channel/internal';
import type { Links } from '@sealwire/channel/internal';
import type { Subscriber } from 'rxjs';

import type { CallTrace } from '../diagnostics.js';
import { requestTimedOut } from './client-call.js';

export interface WaitingRequest {
  /** The deadline of wait and answer together; 0: none. */
  readonly timeoutMs: number;
  readonly trace: CallTrace | undefined;
  /** Sends it, with what is left of its deadline, and returns what cancels it. */
  readonly start: (leftMs: number | undefined) => () => void;
}

/** Lets calls wait for a connection, and starts them in the order in which they came. */
export class WhenConnected {
  readonly #links: Links;
  readonly #connect: (signal?: AbortSignal) => Promise<void>;
  /** Each fails a request that waits, in the async context of its caller. */
  readonly #refusals = new Set<() => void>();
  readonly #whenEventsStarted: (() => void)[] = [];
  #waiting = 0;
  #waitingEvents = 0;

  /** @param connect - The client's own, which a subclass may override. */
  constructor(links: Links, connect: (signal?: AbortSignal) => Promise<void>) {
    this.#links = links;
    this.#connect = connect;
  }

  /** Whether a call may start at once: there is a connection, and no call before it still waits. */
  get isNow(): boolean {
    return this.#waiting === 0 && this.#links.pick() !== undefined;
  }

  /** Resolves when no event waits for a connection anymore: all of them were started, or have failed. */
  get eventsStarted(): Promise<void> | undefined {
    if (this.#waitingEvents === 0) return undefined;
    return new Promise((resolve) => this.#whenEventsStarted.push(resolve));
  }

  /** Rejects as `connect` does, and with what `start` fails with. */
  async runEvent<T>(start: () => Promise<T>): Promise<T> {
    if (this.isNow) return start();
    this.#waitingEvents += 1;
    return this.#wait(start, () => {
      this.#waitingEvents -= 1;
      if (this.#waitingEvents === 0) for (const resolve of this.#whenEventsStarted.splice(0)) resolve();
    });
  }

  /** For a request: it waits no longer when its caller unsubscribes, or its deadline comes. */
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
    const startUnlessLeft = (): void => {
      deadline?.clear();
      if (subscriber.closed) return;
      subscriber.add(start(deadline?.leftMs));
    };
    const waited = (): void => void this.#refusals.delete(refuse);
    this.#wait(startUnlessLeft, waited, abort.signal).catch(fail);
  }

  /** The client closes: requests that wait fail. Events go on. */
  refuseRequests(): void {
    for (const refuse of this.#refusals) refuse();
  }

  /** Starts in the same turn in which the wait ends, so that no later call comes in between. */
  async #wait<T>(start: () => T | Promise<T>, waited: () => void, signal?: AbortSignal): Promise<T> {
    this.#waiting += 1;
    try {
      await this.#connect(signal);
    } finally {
      this.#waiting -= 1;
      waited();
    }
    return start();
  }
}
