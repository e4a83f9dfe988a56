import type { Connection } from './connection.js';

export interface Traffic {
  /** On the wire, sealed as they are, of all connections since the start; handshakes of strangers are not counted. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** The slowest of the connections, by its last PING; undefined before the first was answered. */
  readonly roundTripMs: number | undefined;
}

/** Adds up the traffic of connections, also of those that are gone. */
export class TrafficCounter {
  #bytesRead = 0;
  #bytesWritten = 0;

  addClosed({ socket }: Connection): void {
    this.#bytesRead += socket.bytesRead;
    this.#bytesWritten += socket.bytesWritten;
  }

  sum(connections: readonly Connection[]): Traffic {
    const roundTrips = connections.flatMap(({ roundTripMs }) => roundTripMs ?? []);
    return {
      bytesRead: connections.reduce((sum, { socket }) => sum + socket.bytesRead, this.#bytesRead),
      bytesWritten: connections.reduce((sum, { socket }) => sum + socket.bytesWritten, this.#bytesWritten),
      roundTripMs: roundTrips.length === 0 ? undefined : Math.max(...roundTrips),
    };
  }
}
