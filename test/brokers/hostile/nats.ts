import { NatsRecordBuilder } from '@nestjs/microservices';
import { SealedNatsClient, SealedNatsServer } from '@sealwire/brokers';

import { Engine } from '../engines/engine.js';
import { NATS } from '../engines/nats.js';
import { NATS_LIBRARY } from '../engines/nats-library.js';
import { OPEN_NATS } from '../strangers/nats.js';
import type { HostileBroker } from './hostile-broker.js';

export const HOSTILE_NATS: HostileBroker = {
  name: 'Sealed NATS',
  kind: NATS,
  async start() {
    const engine = await Engine.start(NATS);
    return {
      createServer: (seal) => new SealedNatsServer({ servers: engine.url, queue: 'servers', seal }),
      createClient: (seal) => new SealedNatsClient({ servers: engine.url, seal }),
      answersTo: OPEN_NATS.answersTo,
      record: (data, header) => new NatsRecordBuilder(data).setHeaders(headersOf(header)).build(),
      stranger: () => OPEN_NATS.connect(engine.url),
      stop: () => engine.stop(),
    };
  },
};

function headersOf(value: string) {
  const headers = NATS_LIBRARY.headers();
  headers.set('x-tenant', value);
  return headers;
}
