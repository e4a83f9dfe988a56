import type { ConnectionMessage, HandshakeMessage } from '@sealwire/channel/internal';

import { SIDES } from '../diagnostics.js';
import type { Side } from '../diagnostics.js';
import type { MetricSet } from './metric-set.js';

type Direction = 'bytesRead' | 'bytesWritten';

/** The connections of one end of this process. */
class Connections {
  readonly #open = new Set<ConnectionMessage>();
  readonly #closed = { bytesRead: 0, bytesWritten: 0 };

  get size(): number {
    return this.#open.size;
  }

  /** Returns the number of open connections for each key id that has any. */
  countByKey(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { keyId } of this.#open) if (keyId !== undefined) counts.set(keyId, (counts.get(keyId) ?? 0) + 1);
    return counts;
  }

  opened(connection: ConnectionMessage): void {
    this.#open.add(connection);
  }

  closed(connection: ConnectionMessage): void {
    this.#open.delete(connection);
    this.#closed.bytesRead += connection.bytesRead;
    this.#closed.bytesWritten += connection.bytesWritten;
  }

  /** Returns the bytes of all connections, including those that have been closed. */
  sum(direction: Direction): number {
    return [...this.#open].reduce((sum, connection) => sum + connection[direction], this.#closed[direction]);
  }
}

/** Keeps the metrics of handshakes, connections and bytes on the wire. */
export function collectConnections(metrics: MetricSet): void {
  const connections = { client: new Connections(), server: new Connections() };
  const handshakes = metrics.counter({
    name: 'sealwire_handshakes_total',
    help: 'Handshakes. outcome: ok, or the code of the failure. At a client, failures to connect are included.',
    labelNames: ['side', 'outcome'],
  });
  const closed = metrics.counter({
    name: 'sealwire_connections_closed_total',
    help: 'Connections that have ended. outcome: ok if both ends agreed to close, otherwise a code.',
    labelNames: ['side', 'outcome'],
  });
  metrics.gauge({
    name: 'sealwire_connections',
    help: 'Open connections.',
    labelNames: ['side'],
    collect() {
      for (const side of SIDES) this.set({ side }, connections[side].size);
    },
  });
  metrics.gauge({
    name: 'sealwire_connections_by_key',
    help: 'Open connections by the id of their key. A key without a connection has no value.',
    labelNames: ['side', 'key_id'],
    collect() {
      this.reset(); // otherwise each key that was ever used would stay
      for (const side of SIDES)
        for (const [keyId, count] of connections[side].countByKey()) this.set({ side, key_id: keyId }, count);
    },
  });
  countBytes(metrics, connections, { name: 'sealwire_received_bytes_total', help: 'Sealed bytes read.' }, 'bytesRead');
  countBytes(
    metrics,
    connections,
    { name: 'sealwire_sent_bytes_total', help: 'Sealed bytes written.' },
    'bytesWritten',
  );
  const noteHandshake = (side: Side, { code }: HandshakeMessage): void => {
    handshakes.inc({ side, outcome: code ?? 'ok' });
  };
  for (const side of SIDES) {
    metrics.on<HandshakeMessage>(`sealwire:${side}:handshake:done`, (handshake) => noteHandshake(side, handshake));
    metrics.on<HandshakeMessage>(`sealwire:${side}:handshake:failed`, (handshake) => noteHandshake(side, handshake));
    metrics.on<ConnectionMessage>(`sealwire:${side}:connection:opened`, (one) => connections[side].opened(one));
    metrics.on<ConnectionMessage>(`sealwire:${side}:connection:closed`, (one) => {
      connections[side].closed(one);
      closed.inc({ side, outcome: one.code ?? 'ok' });
    });
  }
}

function countBytes(
  metrics: MetricSet,
  connections: Readonly<Record<Side, Connections>>,
  names: { readonly name: string; readonly help: string },
  direction: Direction,
): void {
  metrics.counter({
    ...names,
    labelNames: ['side'],
    collect() {
      this.reset();
      for (const side of SIDES) this.inc({ side }, connections[side].sum(direction));
    },
  });
}
