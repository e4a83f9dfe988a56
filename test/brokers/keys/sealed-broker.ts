import { SealedRmqClient, SealedRmqServer } from '@sealwire/brokers';
import type { SealOptions } from '@sealwire/brokers';

import { Engine } from '../engines/engine.js';
import type { Needed } from '../engines/engine.js';
import { RABBITMQ } from '../engines/rabbitmq.js';
import type { HostileClient, HostileServer } from '../hostile/hostile-broker.js';

/** A sealed transport and its broker. */
export interface SealedBroker {
  readonly name: string;
  readonly kind: Needed;
  start(): Promise<RunningSealedBroker>;
}

export interface RunningSealedBroker {
  createServer(seal: SealOptions): HostileServer;
  createClient(seal: SealOptions): HostileClient;
  stop(): Promise<void>;
}

export const SEALED_RABBITMQ: SealedBroker = {
  name: 'Sealed RabbitMQ',
  kind: RABBITMQ,
  async start() {
    const engine = await Engine.start(RABBITMQ);
    const options = { urls: [engine.url], queue: 'keys', queueOptions: { durable: false } };
    return {
      createServer: (seal) => new SealedRmqServer({ ...options, seal }),
      createClient: (seal) => new SealedRmqClient({ ...options, seal }),
      stop: () => engine.stop(),
    };
  },
};
