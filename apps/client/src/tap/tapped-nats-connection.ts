import type { NatsConnection } from '@sealwire/brokers';
import { z } from 'zod';

import type { TappedConnection } from './tapped-connection.js';
import { SHOWN_BYTES } from './wire-row.js';
import type { Direction } from './wire-row.js';

type Publish = Parameters<NatsConnection['publish']>;
type Subscribe = Parameters<NatsConnection['subscribe']>;

/** Anybody who can publish may send other ones. */
const header = z.object({ kid: z.string().regex(/^[0-9a-f]{16}$/) });

/** A connection to a NATS server that notes each envelope, and whether the server is reached. */
export class TappedNatsConnection implements NatsConnection {
  readonly #connection: NatsConnection;
  readonly #open: () => TappedConnection;
  #tapped: TappedConnection;

  /** @param open - Called once, and again each time the connection is back. */
  constructor(connection: NatsConnection, open: () => TappedConnection) {
    this.#connection = connection;
    this.#open = open;
    this.#tapped = open();
  }

  get info(): NatsConnection['info'] {
    return this.#connection.info;
  }

  publish(...[subject, data, options]: Publish): void {
    if (data !== undefined) this.#note('sent', Buffer.from(data));
    this.#connection.publish(subject, data, options);
  }

  subscribe(...[subject, { callback, ...options }]: Subscribe): ReturnType<NatsConnection['subscribe']> {
    return this.#connection.subscribe(subject, {
      ...options,
      callback: (error, message) => {
        if (error === null && message.data.length > 0) this.#note('received', message.data);
        return callback(error, message);
      },
    });
  }

  async *status(): AsyncGenerator {
    for await (const status of this.#connection.status()) {
      const { type } = status as { readonly type: unknown };
      if (type === 'disconnect') this.#tapped.end();
      else if (type === 'reconnect') this.#tapped = this.#open();
      yield status;
    }
  }

  async rtt(): Promise<number> {
    const roundTripMs = await this.#connection.rtt();
    this.#tapped.noteRoundTrip(roundTripMs);
    return roundTripMs;
  }

  flush(): Promise<void> {
    return this.#connection.flush();
  }

  drain(): Promise<void> {
    return this.#connection.drain();
  }

  async close(): Promise<void> {
    this.#tapped.end();
    await this.#connection.close();
  }

  #note(direction: Direction, envelope: Uint8Array): void {
    const sealed = Buffer.from(envelope.subarray(0, SHOWN_BYTES)).toString('latin1');
    const sighting = { direction, type: 'ENVELOPE', bytes: envelope.length, sealed };
    this.#tapped.note(sighting, keyIdOf(envelope));
  }
}

/** Returns the key that the header of an envelope names; undefined if it is not an envelope. */
function keyIdOf(envelope: Uint8Array): string | undefined {
  const [first = ''] = Buffer.from(envelope).toString('latin1').split('.', 1);
  try {
    return header.parse(JSON.parse(Buffer.from(first, 'base64url').toString())).kid;
  } catch {
    return undefined;
  }
}
