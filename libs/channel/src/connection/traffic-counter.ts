import type { Connection } from './connection.js';

export interface Traffic {
  /** Sealed bytes of all connections since the start, without the handshakes of strangers. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** The slowest round trip of the open connections, by their last PING; undefined before the first PONG. */
  readonly roundTripMs: number | undefined;
}

/** Adds up the traffic of connections, including closed ones. */
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
