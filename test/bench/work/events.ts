import { setTimeout as sleep } from 'node:timers/promises';
import { makePayload, type PayloadShape } from '../payload.js';
import type { ConnectedClient } from '../peer.js';
import { keepInFlight } from './in-flight.js';
import type { Outcome } from './outcome.js';

const POLL_MS = 5;

/**
 * Keeps `inFlight` events under way for `durationMs`, then waits until the handler of the server has been given every one.
 * There is no latency: what an event waits for differs from transport to transport.
 */
export async function runEvents(
  client: ConnectedClient,
  { inFlight, ...shape }: PayloadShape & { readonly inFlight: number },
  durationMs: number,
): Promise<Outcome> {
  const { emit } = client;
  if (emit === undefined) throw new Error('has no events');
  const payload = makePayload(shape);
  const before = await countEvents(client);
  const startedAt = performance.now();
  const sent = await keepInFlight(
    (done) => emit(payload, done),
    inFlight,
    (elapsedMs) => elapsedMs < durationMs,
  );
  while ((await countEvents(client)) - before < sent.units) await sleep(POLL_MS);
  return { units: sent.units, elapsedMs: performance.now() - startedAt, latenciesMs: [] };
}

function countEvents({ countEvents: count }: ConnectedClient): Promise<number> {
  return new Promise((resolve, reject) => {
    if (count === undefined) return reject(new Error('does not count events'));
    count((error, answer) => (error === undefined ? resolve(Number(answer)) : reject(error)));
  });
}
