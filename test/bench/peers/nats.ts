// One client and several servers of one queue group behind a NATS server: Nest's own transport, and the sealed one.

import { ClientNats, ServerNats } from '@nestjs/microservices';
import { SealedNatsClient, SealedNatsServer } from '@sealwire/brokers';
import type { Peer, RunningServer, Setting } from '../peer.js';
import { connectClient, HOST, listenWithHandlers } from './nest.js';
import { missingNats, startNats } from './nats-broker.js';

const QUEUE = 'bench';

/** Nest's own transport: the broker reads everything. */
export function nestNats(servers: number): Peer {
  return {
    ...natsPeer('nest-nats', servers),
    serve: (_setting, port = 0) => serveQueue(new ServerNats({ servers: urlOf(port), queue: QUEUE }), port),
    connect: (_setting, port) => connectClient(new ClientNats({ servers: urlOf(port) })),
  };
}

export function sealedNats(servers: number): Peer {
  return {
    ...natsPeer('sealed-nats', servers),
    serve: (setting, port = 0) =>
      serveQueue(new SealedNatsServer({ servers: urlOf(port), queue: QUEUE, seal: sealOf(setting) }), port),
    connect: (setting, port) => connectClient(new SealedNatsClient({ servers: urlOf(port), seal: sealOf(setting) })),
  };
}

function natsPeer(name: string, servers: number): Pick<Peer, 'name' | 'servers' | 'missing' | 'startBroker'> {
  return { name: `${name}-${servers}`, servers, missing: missingNats, startBroker: startNats };
}

async function serveQueue(strategy: ServerNats, port: number): Promise<RunningServer> {
  await listenWithHandlers(strategy);
  // Otherwise the client may send before the broker has the subscriptions.
  await strategy.unwrap<{ flush(): Promise<void> }>().flush();
  return { port, close: () => strategy.close() };
}

function urlOf(port: number): string {
  return `nats://${HOST}:${port}`;
}

function sealOf({ secrets }: Setting): { readonly keyFile: string; readonly service: string } {
  return { keyFile: secrets.keyFile, service: QUEUE };
}
