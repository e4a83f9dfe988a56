import { LENGTH_BYTES, SHOWN_BYTES } from './wire-row.js';
import type { Direction, WireRow } from './wire-row.js';

/** One record or envelope, without what the connection itself has. */
export type Sighting = Pick<WireRow, 'direction' | 'type' | 'bytes' | 'sealed'>;

export interface TappedConnectionOptions {
  readonly id: number;
  readonly server: string;
  readonly keyId: string;
  /** The number of connections that the server had before this one. */
  readonly reconnects: number;
  readonly tap: TapOfConnections;
}

interface TapOfConnections {
  readonly isWatched: boolean;
  publish(row: WireRow): void;
  forget(connection: TappedConnection): void;
}

/** The numbers of one connection for the page. */
export interface ConnectionView {
  readonly id: number;
  readonly server: string;
  readonly keyId: string;
  readonly state: 'open' | 'draining';
  readonly openedUnixMs: number;
  readonly reconnects: number;
  readonly roundTripMs: number | undefined;
  readonly sent: number;
  readonly received: number;
}

/** The traffic of one connection. */
export class TappedConnection {
  readonly #options: TappedConnectionOptions;
  readonly #openedUnixMs = Date.now();
  readonly #counts: Record<Direction, number> = { sent: 0, received: 0 };
  #keyId: string;
  #isDraining = false;
  #pingSentMs: number | undefined;
  #roundTripMs: number | undefined;

  constructor(options: TappedConnectionOptions) {
    this.#options = options;
    this.#keyId = options.keyId;
  }

  /** Returns the first bytes of a record in hex; an empty text if there is no reader. @param body - Without its length. */
  show(body: Uint8Array): string {
    if (!this.#options.tap.isWatched) return '';
    const shown = Buffer.from(body.subarray(0, SHOWN_BYTES - LENGTH_BYTES));
    return body.length.toString(16).padStart(2 * LENGTH_BYTES, '0') + shown.toString('hex');
  }

  /** @param keyId - Of an envelope, which names its key. */
  note({ direction, type, bytes, sealed }: Sighting, keyId = this.#keyId): void {
    const { id, server, tap } = this.#options;
    const number = this.#counts[direction]++;
    if (direction === 'sent') this.#keyId = keyId; // a received envelope has not been opened yet
    this.#follow(direction, type);
    const unixMs = Date.now();
    if (tap.isWatched) {
      tap.publish({ kind: 'wire', unixMs, connection: id, server, keyId, direction, number, type, bytes, sealed });
    }
  }

  noteRoundTrip(roundTripMs: number): void {
    this.#roundTripMs = roundTripMs;
  }

  end(): void {
    this.#options.tap.forget(this);
  }

  get view(): ConnectionView {
    const { id, server, reconnects } = this.#options;
    const state = this.#isDraining ? 'draining' : 'open';
    const numbers = { openedUnixMs: this.#openedUnixMs, roundTripMs: this.#roundTripMs, ...this.#counts };
    return { id, server, keyId: this.#keyId, state, reconnects, ...numbers };
  }

  #follow(direction: Direction, type: string): void {
    if (type === 'GOAWAY') this.#isDraining = true;
    if (type === 'PING' && direction === 'sent') this.#pingSentMs = performance.now();
    if (type !== 'PONG' || direction !== 'received' || this.#pingSentMs === undefined) return;
    this.noteRoundTrip(performance.now() - this.#pingSentMs);
    this.#pingSentMs = undefined;
  }
}
