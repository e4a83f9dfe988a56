import type { ClientProxy, MessageHandler, Server } from '@nestjs/microservices';
import type { SealedRedisServer, SealOptions } from '@sealwire/brokers';

import type { Needed } from '../engines/engine.js';
import type { SeenMessage, Stranger } from '../strangers/stranger.js';

export type HostileServer = Pick<Server, 'addHandler'> &
  Pick<SealedRedisServer, 'refusals'> & { close(): unknown; listen(callback: (error?: unknown) => void): unknown };

export type HostileClient = Pick<ClientProxy, 'send' | 'emit' | 'close'> & Pick<SealedRedisServer, 'refusals'>;

/** A transport and its broker, in the hands of a stranger. */
export interface HostileBroker {
  readonly name: string;
  readonly kind: Needed;
  start(): Promise<RunningHostileBroker>;
}

export interface RunningHostileBroker {
  createServer(seal: SealOptions): HostileServer;
  createClient(seal: SealOptions): HostileClient;
  /** Returns where the answer to a request arrives. */
  answersTo(request: SeenMessage): string;
  /** A message for `send` and `emit` with a header, if the transport has headers. */
  record(data: unknown, header: string): unknown;
  stranger(): Promise<Stranger>;
  stop(): Promise<void>;
}

export async function listening<T extends HostileServer>(
  server: T,
  handlers: Readonly<Record<string, MessageHandler>>,
): Promise<T> {
  for (const [pattern, handler] of Object.entries(handlers)) server.addHandler(pattern, handler);
  await new Promise<void>((resolve, reject) => {
    void server.listen((error) => (error === undefined ? resolve() : reject(error)));
  });
  return server;
}
