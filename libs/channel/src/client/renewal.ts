// The renewal of a session (docs/protocol.md §5.11): a client dials the next connection while it still uses the old one.
//
//   WAITING → DIALING → (the next connection takes the place of the old one)
//      ↑         ↓
//      └───── PAUSED
import { clock } from '../clock.js';
import { Deadline } from '../deadline.js';
import { TransportError } from '../errors.js';
import { backOffMs } from './back-off.js';
import type { Pauses } from './back-off.js';
import type { ClientLink } from './client-link.js';

/** A dial that is under way. */
export interface Attempt {
  readonly promise: Promise<ClientLink>;
  readonly abort: AbortController;
}

export interface RenewalOptions {
  /** Its rejection has been reported already. */
  readonly dial: (signal: AbortSignal) => Promise<ClientLink>;
  /** Whether one more connection may drain. */
  readonly hasRoom: () => boolean;
  readonly pauses: Pauses;
}

type State =
  | { readonly at: 'WAITING' }
  | { readonly at: 'DIALING'; readonly attempt: Attempt }
  | { readonly at: 'PAUSED'; readonly timer: NodeJS.Timeout };

/** From CONFIRM to the PONG. It is fixed (docs/protocol.md §5.11). */
export const PROOF_TIMEOUT_MS = 5_000;

/** Lasts until another connection has taken the place of the old one, or until the old one has ended. */
export class Renewal {
  readonly #options: RenewalOptions;
  #state: State = { at: 'WAITING' };
  #failures = 0;

  constructor(options: RenewalOptions) {
    this.#options = options;
  }

  /** Dials, if nothing is under way and there is room. */
  tryNow(): void {
    if (this.#state.at !== 'WAITING' || !this.#options.hasRoom()) return;
    const abort = new AbortController();
    const promise = this.#options.dial(abort.signal);
    promise.catch(() => undefined);
    this.#state = { at: 'DIALING', attempt: { promise, abort } };
  }

  /** @returns How long it pauses before it tries again. */
  noteFailed(): number {
    this.#failures += 1;
    const delayMs = backOffMs(this.#failures, this.#options.pauses);
    const retry = (): void => {
      this.#state = { at: 'WAITING' };
      this.tryNow();
    };
    this.#state = { at: 'PAUSED', timer: clock.setTimeout(retry, delayMs).unref() };
    return delayMs;
  }

  /** @returns The attempt that is under way, which goes on. */
  end(): Attempt | undefined {
    if (this.#state.at === 'PAUSED') clock.clearTimeout(this.#state.timer);
    return this.#state.at === 'DIALING' ? this.#state.attempt : undefined;
  }
}

/**
 * Resolves when the server has answered. That CONFIRM was written proves nothing: a server that is full closes after it.
 * A connection of which nothing is proved is closed.
 *
 * @throws {TransportError} `ERR_PING_TIMEOUT`, or what ended the connection.
 */
export async function prove({ connection }: ClientLink): Promise<void> {
  try {
    await untilPong(connection);
    if (!connection.isOpen) throw new TransportError('ERR_CONNECTION_CLOSED', 'The server closes the new connection');
  } catch (error) {
    void connection.close(0);
    throw error;
  }
}

function untilPong(connection: ClientLink['connection']): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadline = new Deadline(PROOF_TIMEOUT_MS, () =>
      reject(new TransportError('ERR_PING_TIMEOUT', `No PONG within ${PROOF_TIMEOUT_MS} ms of CONFIRM`)),
    );
    const answered = connection.ping().finally(() => deadline.clear());
    answered.then(() => resolve(), reject);
  });
}
