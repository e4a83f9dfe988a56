import type { NatsConnection, NatsMessage } from '@sealwire/brokers';
import { z } from 'zod';

import { ForwardedNatsConnection } from '../channel/forwarded-nats-connection.js';
import type { Published } from '../channel/forwarded-nats-connection.js';
import { roundTripMs } from '../channel/round-trip.js';
import type { TappedConnection } from './tapped-connection.js';
import { SHOWN_BYTES } from './wire-row.js';
import type { Direction } from './wire-row.js';

/** The longest header of an envelope, 1,024 bytes, in base64url. */
const MAX_HEADER_CHARACTERS = 1_366;
/** Every client that can publish to the subject of an answer chooses this header, so only a key id is taken from it. */
const header = z.object({ kid: z.string().regex(/^[0-9a-f]{16}$/) });

/** A connection to a NATS server that notes each envelope, and whether the server is reached. */
export class TappedNatsConnection extends ForwardedNatsConnection {
  readonly #open: () => TappedConnection;
  #tapped: TappedConnection;

  /** @param open - Called once, and again each time the connection is back. */
  constructor(connection: NatsConnection, open: () => TappedConnection) {
    super(connection);
    this.#open = open;
    this.#tapped = open();
  }

  override publish(...[subject, data, options]: Published): void {
    if (data !== undefined) this.#note('sent', Buffer.from(data));
    super.publish(subject, data, options);
  }

  override async *status(): AsyncGenerator {
    for await (const status of super.status()) {
      const { type } = status as { readonly type: unknown };
      if (type === 'disconnect') this.#tapped.end();
      else if (type === 'reconnect') this.#tapped = this.#open();
      yield status;
    }
  }

  override async rtt(): Promise<number> {
    const measuredMs = await roundTripMs({ rtt: () => super.rtt() });
    this.#tapped.noteRoundTrip(measuredMs);
    return measuredMs;
  }

  override async close(): Promise<void> {
    this.#tapped.end();
    await super.close();
  }

  protected override receive(message: NatsMessage, forward: () => unknown): unknown {
    if (message.data.length > 0) this.#note('received', message.data);
    return forward();
  }

  #note(direction: Direction, envelope: Uint8Array): void {
    const sealed = Buffer.from(envelope.subarray(0, SHOWN_BYTES)).toString('latin1');
    const sighting = { direction, type: 'ENVELOPE', bytes: envelope.length, sealed };
    this.#tapped.note(sighting, keyIdOf(envelope));
  }
}

/** Returns the key that the header of an envelope names; undefined if it is not an envelope. */
function keyIdOf(envelope: Uint8Array): string | undefined {
  const start = Buffer.from(envelope.subarray(0, MAX_HEADER_CHARACTERS + 1)).toString('latin1');
  const [first = ''] = start.split('.', 1);
  try {
    return header.parse(JSON.parse(Buffer.from(first, 'base64url').toString())).kid;
  } catch {
    return undefined;
  }
}
