// What every peer shares that is a Nest strategy and a Nest client, without an application around them.

import type { AddressInfo } from 'node:net';
import type { ClientProxy, Server } from '@nestjs/microservices';
import type { ConnectedClient, RequestDone, RunningServer } from '../peer.js';

const PATTERN = 'echo';

/** The part of a strategy that Nest itself uses. */
type Strategy = Pick<Server, 'addHandler' | 'unwrap'> & { listen(callback: (error?: unknown) => void): void };

export async function serveEcho(strategy: Strategy): Promise<RunningServer> {
  strategy.addHandler(PATTERN, (payload: unknown) => Promise.resolve(payload));
  await new Promise<void>((resolve, reject) => {
    strategy.listen((error) => (error === undefined ? resolve() : reject(error)));
  });
  return { port: strategy.unwrap<{ address(): AddressInfo }>().address().port };
}

export async function connectClient(client: Pick<ClientProxy, 'connect' | 'send'>): Promise<ConnectedClient> {
  await client.connect();
  return {
    request(payload: unknown, done: RequestDone): void {
      let answer: unknown;
      client.send(PATTERN, payload).subscribe({
        next: (value: unknown) => (answer = value),
        error: (error: unknown) => done(error instanceof Error ? error : new Error(JSON.stringify(error))),
        complete: () => done(undefined, answer),
      });
    },
  };
}
