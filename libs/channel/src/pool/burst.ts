import type { ClientLink } from '../client/client-link.js';
import { clock } from '../clock.js';
import type { OpenLinks } from './open-links.js';
import type { WaitingCalls } from './waiting-calls.js';

/** The maximum time that requests wait for a further server to open. */
const MAX_WAIT_MS = 100;
/** As many requests start on the first connection, however many servers there are. */
const FEW = 16;

/**
 * The requests that came before a connection was open. The first server that opens gets its share of them and not all; the
 * others start when further servers open, when no dial is running, or after 100 ms.
 */
export class Burst {
  readonly #waiting: WaitingCalls;
  readonly #open: OpenLinks;
  readonly #dialing: () => number;
  #timer: NodeJS.Timeout | undefined;

  /** @param dialing - Returns the number of dials that are running. */
  constructor(waiting: WaitingCalls, open: OpenLinks, dialing: () => number) {
    this.#waiting = waiting;
    this.#open = open;
    this.#dialing = dialing;
  }

  /** Whether requests wait although a connection is open, so that later ones have to wait until those have started. */
  get isWaiting(): boolean {
    return this.#timer !== undefined;
  }

  /** Starts the share of a connection that has just opened. @param kind - Undefined: all events start too. */
  startShare(link: ClientLink, kind?: 'REQUEST'): void {
    const running = this.#dialing();
    const share = Math.ceil(this.#waiting.requestCount / (running + 1));
    this.#waiting.resolve(link, kind, running === 0 ? Infinity : Math.max(FEW, share));
    if (this.#waiting.requestCount === 0) this.end();
    else this.#timer ??= clock.setTimeout(() => this.#startAll(), MAX_WAIT_MS);
  }

  /** Starts all of them if that was the last dial. */
  noteDialEnded(): void {
    if (this.isWaiting && this.#dialing() === 0) this.#startAll();
  }

  end(): void {
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #startAll(): void {
    const { first } = this.#open;
    this.end();
    if (first !== undefined) this.#waiting.resolve(first, 'REQUEST'); // otherwise they wait for the running dials
  }
}
