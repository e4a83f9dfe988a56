import type { RowQueue } from './row-queue.js';
import { TappedCalls } from './tapped-calls.js';
import { TappedConnection } from './tapped-connection.js';
import type { ConnectionView } from './tapped-connection.js';
import type { WireRow } from './wire-row.js';

/** Passes what crosses the wire on to its readers. It exists only with WIRE_TAP=true. */
export class WireTap {
  readonly calls = new TappedCalls();
  readonly #readers = new Set<RowQueue>();
  readonly #connections = new Set<TappedConnection>();
  /** The number of connections to each server since the start. */
  readonly #openedOf = new Map<string, number>();
  #opened = 0;

  get isWatched(): boolean {
    return this.#readers.size > 0;
  }

  get connections(): readonly ConnectionView[] {
    return [...this.#connections].map(({ view }) => view);
  }

  /** @param keyId - 16 hexadecimal digits. */
  open(server: string, keyId: string): TappedConnection {
    this.#opened += 1;
    const reconnects = this.#openedOf.get(server) ?? 0;
    this.#openedOf.set(server, reconnects + 1);
    const connection = new TappedConnection({ id: this.#opened, server, keyId, reconnects, tap: this });
    this.#connections.add(connection);
    return connection;
  }

  forget(connection: TappedConnection): void {
    this.#connections.delete(connection);
  }

  publish(row: WireRow): void {
    for (const reader of this.#readers) reader.push(row);
  }

  /** Fills `reader` until the returned function is called. */
  attach(reader: RowQueue): () => void {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }
}
