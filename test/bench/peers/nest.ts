// What every peer shares that is a Nest client, and what those share that are a strategy without an application around it.

import type { AddressInfo } from 'node:net';
import type { ClientProxy, Server } from '@nestjs/microservices';
import type { ConnectedClient, Done, RunningServer, StreamAsk } from '../peer.js';
import { digestOf } from './digest.js';
import { makeStream } from './stream-source.js';

export const PATTERNS = {
  echo: 'echo',
  stream: 'stream',
  hash: 'hash',
  event: 'event',
  eventCount: 'event-count',
} as const;
export const HOST = '127.0.0.1';

/** The part of a strategy that Nest itself uses. */
type Strategy = Pick<Server, 'addHandler' | 'close' | 'unwrap'> & { listen(callback: (error?: unknown) => void): void };

export async function serveStrategy(strategy: Strategy): Promise<RunningServer> {
  await listenWithHandlers(strategy);
  return { port: portOf(strategy), close: () => strategy.close() as Promise<void> | void };
}

/** Adds the handlers of every workload. Resolves when the strategy listens. */
export async function listenWithHandlers(strategy: Omit<Strategy, 'close' | 'unwrap'>): Promise<void> {
  let events = 0;
  strategy.addHandler(PATTERNS.echo, (payload: unknown) => Promise.resolve(payload));
  strategy.addHandler(PATTERNS.stream, (ask: StreamAsk) => Promise.resolve(makeStream(ask)));
  strategy.addHandler(PATTERNS.hash, (text: string) => Promise.resolve(digestOf(text)));
  strategy.addHandler(PATTERNS.event, () => Promise.resolve(void events++), true);
  strategy.addHandler(PATTERNS.eventCount, () => Promise.resolve(events));
  await new Promise<void>((resolve, reject) => {
    strategy.listen((error) => (error === undefined ? resolve() : reject(error)));
  });
}

export function portOf(strategy: Pick<Server, 'unwrap'>): number {
  return strategy.unwrap<{ address(): AddressInfo }>().address().port;
}

type NestClient = Pick<ClientProxy, 'connect' | 'send' | 'emit' | 'close'>;

export async function connectClient(client: NestClient): Promise<ConnectedClient> {
  await client.connect();
  return {
    request: (payload, done) => lastOf(client, PATTERNS.echo, payload, done),
    stream(ask, next, done) {
      client.send(PATTERNS.stream, ask).subscribe({
        next,
        error: (error: unknown) => done(toError(error)),
        complete: () => done(undefined),
      });
    },
    hash: (text, done) => lastOf(client, PATTERNS.hash, text, done),
    emit(payload, done) {
      client.emit(PATTERNS.event, payload).subscribe({
        error: (error: unknown) => done(toError(error)),
        complete: () => done(undefined),
      });
    },
    countEvents: (done) => lastOf(client, PATTERNS.eventCount, {}, done),
    close: () => client.close() as Promise<void> | void,
  };
}

function lastOf(client: NestClient, pattern: string, payload: unknown, done: Done): void {
  let answer: unknown;
  client.send(pattern, payload).subscribe({
    next: (value: unknown) => (answer = value),
    error: (error: unknown) => done(toError(error)),
    complete: () => done(undefined, answer),
  });
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(JSON.stringify(error));
}
