import type { ConnectedClient } from '../peer.js';
import { digestOf } from '../peers/digest.js';
import { keepInFlight } from './in-flight.js';
import type { Outcome } from './outcome.js';

const TEXT = 'text';

/** Keeps `inFlight` requests under way for `durationMs` whose handlers compute a digest, and checks each of them. */
export function runHash(client: Pick<ConnectedClient, 'hash'>, inFlight: number, durationMs: number): Promise<Outcome> {
  const { hash } = client;
  if (hash === undefined) return Promise.reject(new Error('has no digests'));
  const digest = digestOf(TEXT);
  return keepInFlight(
    (done) =>
      hash(TEXT, (error, answer) => {
        if (error !== undefined) done(error);
        else if (answer === digest) done(undefined);
        else done(new Error('An answer is not the digest'));
      }),
    inFlight,
    (elapsedMs) => elapsedMs < durationMs,
  );
}
