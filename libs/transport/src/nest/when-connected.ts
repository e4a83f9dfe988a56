import type { Subscriber } from 'rxjs';

import { clock } from '../clock.js';
import { requestTimedOut } from './client-call.js';
import type { Connector } from './connector.js';

export interface WaitingRequest {
  /** The deadline of wait and answer together; 0: none. */
  readonly timeoutMs: number;
  /** Sends it, with what is left of its time, and returns what cancels it. */
  readonly start: (leftMs: number) => () => void;
}

/** Lets calls wait for a connection, and starts them in the order in which they came. */
export class WhenConnected {
  readonly #connector: Connector;
  readonly #connect: (signal?: AbortSignal) => Promise<void>;
  #waiting = 0;

  /** @param connect - The client's own, which a subclass may override. */
  constructor(connector: Connector, connect: (signal?: AbortSignal) => Promise<void>) {
    this.#connector = connector;
    this.#connect = connect;
  }

  /** Whether a call may start at once: there is a connection, and nobody before it still waits. */
  get isNow(): boolean {
    return this.#waiting === 0 && this.#connector.link !== undefined;
  }

  /** Rejects as `connect` does, and with what `start` fails with. */
  async run<T>(start: () => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.isNow) return start();
    this.#waiting += 1;
    try {
      await this.#connect(signal);
    } finally {
      this.#waiting -= 1;
    }
    return start();
  }

  /** For a request: whoever unsubscribes, or whose deadline comes, waits no longer. */
  runRequest({ timeoutMs, start }: WaitingRequest, subscriber: Subscriber<unknown>): void {
    const abort = new AbortController();
    const startedMs = clock.nowMs();
    const expire = (): void => subscriber.error(requestTimedOut(timeoutMs, false));
    const timer = timeoutMs > 0 ? clock.setTimeout(expire, timeoutMs) : undefined;
    subscriber.add(() => {
      clock.clearTimeout(timer);
      abort.abort();
    });
    const startUnlessLeft = (): void => {
      clock.clearTimeout(timer);
      if (subscriber.closed) return;
      const leftMs = timeoutMs > 0 ? Math.max(1, Math.ceil(timeoutMs - (clock.nowMs() - startedMs))) : 0;
      subscriber.add(start(leftMs));
    };
    this.run(startUnlessLeft, abort.signal).catch((error: unknown) => subscriber.error(error));
  }
}
