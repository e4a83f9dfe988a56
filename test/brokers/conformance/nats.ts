import { ClientNats, NatsRecordBuilder, ServerNats } from '@nestjs/microservices';
import type { NatsContext } from '@nestjs/microservices';
import { SealedNatsClient, SealedNatsServer } from '@sealwire/brokers';

import { Engine } from '../engines/engine.js';
import { NATS } from '../engines/nats.js';
import { NATS_LIBRARY } from '../engines/nats-library.js';
import { sealing } from './sealed.js';
import type { HeadersUnderTest, TransportUnderTest } from './transport-under-test.js';

const HEADERS: HeadersUnderTest = {
  record: (data, headers) => new NatsRecordBuilder(data).setHeaders(natsHeaders(headers)).build(),
  read: (context, name) => (context as NatsContext).getHeaders()?.get(name) || undefined,
};

/** What every transport on NATS can do. */
export const ON_NATS = {
  kind: NATS,
  wildcard: { pattern: 'conformance.orders.*', message: 'conformance.orders.created' },
  headers: HEADERS,
  unknownPattern: 'Empty response. There are no subscribers listening to that message ("conformance.unknown")',
} as const satisfies Partial<TransportUnderTest>;

export const STOCK_NATS: TransportUnderTest = {
  ...ON_NATS,
  name: "Nest's own NATS",
  async start() {
    const engine = await Engine.start(NATS);
    return {
      createServer: () => new ServerNats({ servers: engine.url }),
      createClient: () => new ClientNats({ servers: engine.url }),
      stop: () => engine.stop(),
    };
  },
};

export const SEALED_NATS: TransportUnderTest = {
  ...ON_NATS,
  name: 'Sealed NATS',
  async start() {
    const engine = await Engine.start(NATS);
    const options = { servers: engine.url, seal: sealing() };
    return {
      createServer: () => new SealedNatsServer(options),
      createClient: () => new SealedNatsClient(options),
      stop: () => engine.stop(),
    };
  },
};

function natsHeaders(values: Readonly<Record<string, string>>) {
  const headers = NATS_LIBRARY.headers();
  for (const [name, value] of Object.entries(values)) headers.set(name, value);
  return headers;
}
