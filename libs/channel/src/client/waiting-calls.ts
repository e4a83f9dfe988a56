import { Deadline } from '../deadline.js';
import { TransportError } from '../errors.js';
import type { Limits } from '../options/limits.js';
import type { ClientLink } from './client-link.js';

interface WaitingCall {
  readonly resolve: (link: ClientLink) => void;
  readonly reject: (error: unknown) => void;
  /** Undefined if it waits for the first dial only. */
  readonly deadline: Deadline | undefined;
}

/**
 * Calls that wait while there is no connection: as many as may be queued on one, each up to its deadline, or without
 * `waitForConnectionMs` up to the end of the first dial.
 */
export class WaitingCalls {
  readonly #limits: Pick<Limits, 'waitForConnectionMs' | 'maxQueuedMessages'>;
  readonly #calls = new Set<WaitingCall>();
  /** The error of the last dial. A call that times out fails with it. */
  #lastError: unknown;

  constructor(limits: Pick<Limits, 'waitForConnectionMs' | 'maxQueuedMessages'>) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#calls.size;
  }

  /** @param signal - Ends the wait: the promise rejects with the reason of the signal. */
  add(signal?: AbortSignal): Promise<ClientLink> {
    const { waitForConnectionMs, maxQueuedMessages } = this.#limits;
    if (this.#calls.size >= maxQueuedMessages) {
      const message = `The queue is full: ${this.#calls.size} calls already wait for a connection (limits.maxQueuedMessages)`;
      return Promise.reject(new TransportError('ERR_QUEUE_FULL', message, { sent: false }));
    }
    return new Promise((resolve, reject) => {
      const expire = (): void => {
        this.#calls.delete(call);
        const message = `No connection within ${waitForConnectionMs} ms`;
        reject(this.#lastError ?? new TransportError('ERR_CONNECT_TIMEOUT', message, { sent: false }));
      };
      const deadline = waitForConnectionMs > 0 ? new Deadline(waitForConnectionMs, expire) : undefined;
      const call = { resolve, reject, deadline };
      this.#calls.add(call);
      const abort = (): void => {
        this.#calls.delete(call);
        deadline?.clear();
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  resolve(link: ClientLink): void {
    this.#lastError = undefined;
    for (const call of this.#take()) call.resolve(link);
  }

  reject(error: unknown): void {
    for (const call of this.#take()) call.reject(error);
  }

  /**
   * Notes a failed dial. A failure of this side, such as a missing key file, fails all calls at once, because waiting
   * does not help. They keep waiting after other failures, even after an alert: an attacker can forge the answers of a
   * server that has not proved the key, and a busy server sends the alert too.
   */
  dialFailed(error: unknown): void {
    this.#lastError = error;
    const isOwnFault = !(error instanceof TransportError) || error.fault === 'caller';
    if (isOwnFault || this.#limits.waitForConnectionMs === 0) this.reject(error);
  }

  #take(): WaitingCall[] {
    const calls = [...this.#calls];
    this.#calls.clear();
    for (const { deadline } of calls) deadline?.clear();
    return calls;
  }
}
