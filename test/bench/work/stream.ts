import type { ConnectedClient } from '../peer.js';
import type { Outcome } from './outcome.js';

export type Streamer = Pick<ConnectedClient, 'stream'>;

/** Asks for one answer of `values` numbers after the other, and checks every one of them. */
export async function runStream(client: Streamer, values: number, durationMs: number): Promise<Outcome> {
  const latenciesMs: number[] = [];
  const startedAt = performance.now();
  let elapsedMs = 0;
  while (elapsedMs < durationMs || latenciesMs.length === 0) {
    const askedAt = performance.now();
    await streamNumbers(client, values);
    const doneAt = performance.now();
    latenciesMs.push(doneAt - askedAt);
    elapsedMs = doneAt - startedAt;
  }
  return { units: latenciesMs.length * values, latenciesMs, elapsedMs };
}

function streamNumbers(client: Streamer, values: number): Promise<void> {
  let expected = 0;
  let isWrong = false;
  return streamed(client, { values, valueBytes: 0 }, (value) => {
    if (value !== expected++) isWrong = true;
  }).then(() => {
    if (isWrong || expected !== values) throw new Error('A stream is not what was asked for');
  });
}

/** Resolves when the stream is complete. */
export function streamed(
  client: Streamer,
  ask: { readonly values: number; readonly valueBytes: number },
  next: (value: unknown) => void,
): Promise<void> {
  const { stream } = client;
  if (stream === undefined) return Promise.reject(new Error('has no streams'));
  return new Promise((resolve, reject) => {
    stream(ask, next, (error) => (error === undefined ? resolve() : reject(error)));
  });
}
