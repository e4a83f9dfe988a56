import type { NatsConnection } from '@sealwire/brokers';

import { BrokerClient } from '../../../channel/broker-client.js';
import { AttackedNatsConnection } from './attacked-nats-connection.js';

/** A client of a broker whose envelopes can be changed on their way to the broker and back. */
export class AttackedBrokerClient extends BrokerClient {
  #attacked: AttackedNatsConnection | undefined;

  /** @throws {Error} If the client is not connected. */
  get attacked(): AttackedNatsConnection {
    if (this.#attacked === undefined) throw new Error('The client is not connected');
    return this.#attacked;
  }

  protected override async connectUnsealed(): Promise<NatsConnection> {
    this.#attacked = new AttackedNatsConnection(await super.connectUnsealed());
    return this.#attacked;
  }
}
