import { RmqRecordBuilder } from '@nestjs/microservices';
import { SealedRmqClient, SealedRmqServer } from '@sealwire/brokers';

import { Engine } from '../engines/engine.js';
import { RABBITMQ } from '../engines/rabbitmq.js';
import { OPEN_RABBITMQ, VICTIM_QUEUE } from '../strangers/rabbitmq.js';
import type { HostileBroker } from './hostile-broker.js';

/** With an exchange, to which a stranger can bind a queue of its own. */
export const HOSTILE_RABBITMQ: HostileBroker = {
  name: 'Sealed RabbitMQ',
  kind: RABBITMQ,
  async start() {
    const engine = await Engine.start(RABBITMQ);
    const options = { urls: [engine.url], queue: VICTIM_QUEUE, queueOptions: { durable: false }, wildcards: true };
    return {
      createServer: (seal) => new SealedRmqServer({ ...options, seal }),
      createClient: (seal) => new SealedRmqClient({ ...options, seal }),
      answersTo: OPEN_RABBITMQ.answersTo,
      record: (data, header) => new RmqRecordBuilder(data).setOptions({ headers: { 'x-tenant': header } }).build(),
      stranger: () => OPEN_RABBITMQ.connect(engine.url),
      stop: () => engine.stop(),
    };
  },
};
