// The renewal of a session (docs/protocol.md §5.11): the client dials the next connection while it still uses the old
// one.
//
//   WAITING → DIALING → (the next connection replaces the old one)
//      ↑         ↓
//      └───── PAUSED
import type { ClientLink } from '../../client/client-link.js';
import { clock } from '../../clock.js';
import { Deadline } from '../../deadline.js';
import { TransportError } from '../../errors.js';
import { backOffMs } from './back-off.js';
import type { Pauses } from './back-off.js';

export interface RenewalOptions {
  /** Calls {@link Renewal.noteFailed} if it fails. */
  readonly dial: (signal: AbortSignal) => void;
  /** Returns the number of connections that drain. */
  readonly drainingCount: () => number;
  readonly pauses: Pauses;
}

type State =
  | { readonly at: 'WAITING' }
  | { readonly at: 'DIALING'; readonly abort: AbortController }
  | { readonly at: 'PAUSED'; readonly timer: NodeJS.Timeout }
  | { readonly at: 'ENDED' };

/** The maximum number of draining connections when a renewal adds one (docs/protocol.md §5.11). */
const MAX_DRAINING = 4;
/** The maximum time from CONFIRM to the PONG, fixed by docs/protocol.md §5.11. */
export const PROOF_TIMEOUT_MS = 5_000;

/** One renewal. It lasts until the old connection is replaced or has ended. */
export class Renewal {
  readonly #options: RenewalOptions;
  #state: State = { at: 'WAITING' };
  #failures = 0;

  constructor(options: RenewalOptions) {
    this.#options = options;
  }

  /** Dials unless a dial is running, a retry is scheduled, or too many connections drain. */
  tryNow(): void {
    if (this.#state.at !== 'WAITING' || this.#options.drainingCount() >= MAX_DRAINING) return;
    const abort = new AbortController();
    this.#state = { at: 'DIALING', abort };
    this.#options.dial(abort.signal);
  }

  /** Schedules a retry. @returns The pause before it. */
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

  /** Ends the renewal. @returns The controller of the running dial, which continues, if there is one. */
  end(): AbortController | undefined {
    const state = this.#state;
    this.#state = { at: 'ENDED' };
    if (state.at === 'PAUSED') clock.clearTimeout(state.timer);
    return state.at === 'DIALING' ? state.abort : undefined;
  }
}

/**
 * Resolves when the server has answered a PING. A written CONFIRM proves nothing, because a full server closes after
 * it. Closes the connection if the proof fails.
 *
 * @throws {TransportError} `ERR_PING_TIMEOUT`, or the error that ended the connection.
 */
export async function prove({ connection }: ClientLink): Promise<void> {
  try {
    await untilPong(connection);
    if (!connection.isOpen)
      throw new TransportError('ERR_CONNECTION_CLOSED', 'The server closed the new connection before it was used');
  } catch (error) {
    void connection.close(0);
    throw error;
  }
}

function untilPong(connection: ClientLink['connection']): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadline = new Deadline(PROOF_TIMEOUT_MS, () =>
      reject(
        new TransportError(
          'ERR_PING_TIMEOUT',
          `PING timed out: the server sent no PONG within ${PROOF_TIMEOUT_MS} ms of CONFIRM`,
        ),
      ),
    );
    const answered = connection.ping().finally(() => deadline.clear());
    answered.then(() => resolve(), reject);
  });
}
