import type { ConnectedClient } from '../peer.js';
import { echoOf } from './echo.js';
import type { Outcome } from './outcome.js';

const SMALL = { as: 'json', payloadBytes: 64 } as const;

export interface ConnectLength {
  readonly durationMs: number;
  /** The least number, however long they take. */
  readonly connections: number;
}

/** Connects, is answered once and closes, over and over. A latency is from the dial to the answer. */
export async function runConnect(
  connect: () => Promise<ConnectedClient>,
  { durationMs, connections }: ConnectLength,
): Promise<Outcome> {
  const latenciesMs: number[] = [];
  const startedAt = performance.now();
  let elapsedMs = 0;
  while (elapsedMs < durationMs || latenciesMs.length < connections) {
    const dialedAt = performance.now();
    const client = await connectAnswered(connect);
    latenciesMs.push(performance.now() - dialedAt);
    await client.close();
    elapsedMs = performance.now() - startedAt;
  }
  return { units: latenciesMs.length, latenciesMs, elapsedMs };
}

/** A connection on which one request has been answered. */
export async function connectAnswered(connect: () => Promise<ConnectedClient>): Promise<ConnectedClient> {
  const client = await connect();
  await new Promise<void>((resolve, reject) => {
    echoOf(client, SMALL)((error) => (error === undefined ? resolve() : reject(error)));
  });
  return client;
}
