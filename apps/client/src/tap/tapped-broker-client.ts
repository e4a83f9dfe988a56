import type { NatsConnection, SealedNatsOptions } from '@sealwire/brokers';
import type { Observable } from 'rxjs';

import { BrokerClient } from '../channel/broker-client.js';
import { TappedNatsConnection } from './tapped-nats-connection.js';
import type { WireTap } from './wire-tap.js';

/** A client of a broker whose envelopes a {@link WireTap} shows. */
export class TappedBrokerClient extends BrokerClient {
  readonly #tap: WireTap;
  readonly #server: string;

  constructor(options: SealedNatsOptions, tap: WireTap) {
    super(options);
    this.#tap = tap;
    this.#server = [options.servers].flat().join(',');
  }

  override send<Result = unknown, Input = unknown>(pattern: unknown, data: Input): Observable<Result> {
    return this.#tap.calls.count(super.send<Result, Input>(pattern, data));
  }

  override emit<Result = unknown, Input = unknown>(pattern: unknown, data: Input): Observable<Result> {
    this.#tap.calls.countEvent();
    return super.emit<Result, Input>(pattern, data);
  }

  protected override async connectUnsealed(): Promise<NatsConnection> {
    const connection = await super.connectUnsealed();
    return new TappedNatsConnection(connection, () => this.#tap.open(this.#server, ''));
  }
}
