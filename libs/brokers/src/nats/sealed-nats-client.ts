import { Logger } from '@nestjs/common';
import { ClientNats } from '@nestjs/microservices';
import type { NatsStatus, ReadPacket, WritePacket } from '@nestjs/microservices';
import type { ReplaySubject } from 'rxjs';

import { CallTrace } from '../call-trace.js';
import { traceEvent, traceRequest } from '../handler/traced-calls.js';
import type { Refusals } from '../seal/refusals.js';
import { SealedSession } from '../seal/sealed-session.js';
import { SealedClientConnection } from './client-connection.js';
import { headerEntries, innerHeaders, isOfBroker } from './nats-library.js';
import type { NatsConnection, NatsHeaders } from './nats-library.js';
import type { SealedNatsOptions } from './sealed-nats-server.js';

/** Nest's NATS client, which in the mode `seal` seals messages and opens answers: `customClass: SealedNatsClient`. */
export class SealedNatsClient extends ClientNats {
  /** The type also allows any string, as in a plain `ClientProxy`; otherwise `customClass` would not accept this class. */
  declare protected readonly _status$: ReplaySubject<NatsStatus> & ReplaySubject<string>;
  readonly #session: SealedSession;

  /** @throws {TransportError} `ERR_BAD_OPTION` */
  constructor({ seal, ...options }: SealedNatsOptions) {
    super(options);
    const logger = new Logger(SealedNatsClient.name);
    this.#session = new SealedSession({ scheme: 'nats', side: 'client', seal, logger });
  }

  /** The number of messages that have been refused since the client was created, by reason. */
  get refusals(): Refusals['counts'] {
    return this.#session.refusals.counts;
  }

  /** Loads the keys and connects. Rejects with the `CryptoError` of the key file. */
  override createClient(): Promise<SealedClientConnection> {
    return this.#session.open(async (seals) => new SealedClientConnection(await this.connectUnsealed(), seals));
  }

  /**
   * Connects to the broker. A subclass may watch this connection: in the mode `seal` it carries only envelopes, except for
   * messages to the broker's own services.
   */
  protected async connectUnsealed(): Promise<NatsConnection> {
    return (await super.createClient()) as unknown as NatsConnection;
  }

  /** Closes the connection to the broker, and stops watching the key file. */
  override async close(): Promise<void> {
    try {
      await super.close();
    } finally {
      this.#session.close();
    }
  }

  /** Adds the headers that were attached to the call that is being sent, if they will be sealed. */
  protected override mergeHeaders(given?: unknown): NatsHeaders | undefined {
    const headers: NatsHeaders | undefined = super.mergeHeaders(given);
    const call = CallTrace.current;
    if (call === undefined || !this.#session.settings.isSealing || isOfBroker(call.destination)) return headers;
    const attached = call.withAttached<string>(undefined);
    if (attached === undefined) return headers;
    // To a copy, because an application may send its headers again. Nest has loaded the library, which has their class.
    const copy = headers && innerHeaders(headerEntries(headers), headers);
    const merged: NatsHeaders = super.mergeHeaders.call({ options: { headers: attached } }, copy);
    return merged;
  }

  protected override publish(packet: ReadPacket, callback: (packet: WritePacket) => unknown): () => void {
    const subject = this.normalizePattern(packet.pattern);
    return traceRequest({ system: 'nats', pattern: subject }, callback, (traced) => super.publish(packet, traced));
  }

  protected override dispatchEvent<T = unknown>(packet: ReadPacket): Promise<T> {
    return traceEvent(
      { system: 'nats', pattern: this.normalizePattern(packet.pattern) },
      () => super.dispatchEvent(packet) as Promise<T>,
    );
  }
}
