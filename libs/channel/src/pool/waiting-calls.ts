import type { ClientLink } from '../client/client-link.js';
import { Deadline } from '../deadline.js';
import { isTransportError, TransportError } from '../errors.js';
import type { Limits } from '../options/limits.js';
import type { ClientStream } from '../streams/client-stream.js';
import type { OpenLinks } from './open-links.js';

interface WaitingCall {
  readonly kind: ClientStream['kind'];
  readonly resolve: (link: ClientLink) => void;
  readonly reject: (error: unknown) => void;
  /** Releases the deadline and the signal. */
  readonly release: () => void;
  /** The number of the last of these dials. */
  lastDial: number;
}

export interface Wait {
  /** The number of the last dial that the call waits for. */
  readonly lastDial: number;
  /** Not aborted yet. Ends the wait: the promise rejects with the reason of the signal. */
  readonly signal: AbortSignal | undefined;
  /** Whether the call waits in another queue too, which has accepted it. */
  readonly hasPlace: boolean;
}

type WaitingLimits = Pick<Limits, 'waitForConnectionMs' | 'maxQueuedMessages'>;

/**
 * Calls that wait while there is no connection for them: as many as may be queued on one, each up to its deadline, or
 * without `waitForConnectionMs` up to the end of the dials that were running when the call came.
 */
export class WaitingCalls {
  readonly #limits: WaitingLimits;
  readonly #calls = new Set<WaitingCall>();
  /** The error of the last dial. A call that times out fails with it. */
  #lastError: unknown;
  readonly #open: OpenLinks;

  /** @param open - A request that times out while other servers may open uses one of these. */
  constructor(limits: WaitingLimits, open: OpenLinks) {
    this.#limits = limits;
    this.#open = open;
  }

  get count(): number {
    return this.#calls.size;
  }

  get requestCount(): number {
    let count = 0;
    for (const { kind } of this.#calls) if (kind === 'REQUEST') count += 1;
    return count;
  }

  /** Whether calls outlast a failed dial. */
  get arePatient(): boolean {
    return this.#limits.waitForConnectionMs > 0;
  }

  add(kind: ClientStream['kind'], { lastDial, signal, hasPlace }: Wait): Promise<ClientLink> {
    const { waitForConnectionMs, maxQueuedMessages } = this.#limits;
    if (!hasPlace && this.#calls.size >= maxQueuedMessages) {
      const message = `The queue is full: ${this.#calls.size} calls are already waiting for a connection (limits.maxQueuedMessages)`;
      return Promise.reject(new TransportError('ERR_QUEUE_FULL', message, { sent: false }));
    }
    return new Promise((resolve, reject) => {
      const expire = (): void => {
        this.#take((one) => one === call);
        if (kind === 'REQUEST' && this.#open.first !== undefined) {
          resolve(this.#open.first);
          return;
        }
        const message = `Connecting timed out: there was no connection within ${waitForConnectionMs} ms (timeouts.waitForConnectionMs)`;
        reject(unsent(this.#lastError ?? new TransportError('ERR_CONNECT_TIMEOUT', message)));
      };
      const deadline = this.arePatient ? new Deadline(waitForConnectionMs, expire) : undefined;
      const abort = (): void => {
        this.#take((one) => one === call);
        reject(signal?.reason);
      };
      const release = (): void => {
        deadline?.clear();
        signal?.removeEventListener('abort', abort);
      };
      const call: WaitingCall = { kind, resolve, reject, release, lastDial };
      this.#calls.add(call);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Lets all calls wait for this dial too, because it goes to an address of a name that they wait for. */
  awaitDial(number: number): void {
    for (const call of this.#calls) call.lastDial = number;
  }

  /** Resolves calls in their order. @param kind - Of which kind; undefined: of both. @param maxRequests - Of the oldest. */
  resolve(link: ClientLink, kind?: ClientStream['kind'], maxRequests = Infinity): void {
    this.#lastError = undefined;
    let requests = 0;
    const isMeant = (one: WaitingCall): boolean => {
      if (kind !== undefined && one.kind !== kind) return false;
      if (one.kind === 'REQUEST') requests += 1;
      return one.kind === 'EVENT' || requests <= maxRequests;
    };
    for (const call of this.#take(isMeant)) call.resolve(link);
  }

  reject(error: unknown): void {
    for (const call of this.#take(() => true)) call.reject(unsent(error));
  }

  /**
   * Notes a failed dial. A failure of this side, such as a missing key file, fails all calls immediately, because
   * waiting does not help. They keep waiting after other failures, even after an alert: an attacker can forge the
   * answers of a server that is not authenticated yet, and a busy server sends the alert too.
   *
   * @param oldestDial - The number of the oldest dial that is still running; Infinity if there is none.
   */
  dialFailed(error: unknown, oldestDial: number): void {
    this.#lastError = error;
    if (isOwnFault(error)) this.reject(error);
    else if (!this.arePatient)
      for (const call of this.#take(({ lastDial }) => lastDial < oldestDial)) call.reject(unsent(error));
  }

  #take(isMeant: (call: WaitingCall) => boolean): readonly WaitingCall[] {
    const calls = [...this.#calls].filter(isMeant);
    for (const call of calls) {
      this.#calls.delete(call);
      call.release();
    }
    return calls;
  }
}

/** Returns the error for a waiting call: no byte of it was sent, whatever the failed connection has sent. */
function unsent(error: unknown): unknown {
  return isTransportError(error) && error.sent !== false ? error.ofMessage(false) : error;
}

/** Returns whether a dial failed at this side, so that no other server can help. */
export function isOwnFault(error: unknown): boolean {
  return !isTransportError(error) || error.fault === 'caller';
}

export function closed(): TransportError {
  return new TransportError('ERR_CLIENT_CLOSED', 'The client was closed while it was connecting', { sent: false });
}

/** Returns the error of a call that was made before the close and would need a connection after it. */
export function closedBefore(): TransportError {
  return new TransportError('ERR_CLIENT_CLOSED', 'The client was closed before the message was sent', { sent: false });
}
