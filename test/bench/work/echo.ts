import { isEcho, makePayload, type PayloadShape } from '../payload.js';
import type { ConnectedClient, Done } from '../peer.js';
import type { Outcome } from './outcome.js';
import { keepInFlight } from './in-flight.js';

export type Requester = Pick<ConnectedClient, 'request'>;

/** Keeps `inFlight` requests under way for `durationMs`, then waits for the answers. */
export function runEcho(
  client: Requester,
  { inFlight, ...shape }: PayloadShape & { readonly inFlight: number },
  durationMs: number,
): Promise<Outcome> {
  const request = echoOf(client, shape);
  return keepInFlight(request, inFlight, (elapsedMs) => elapsedMs < durationMs);
}

/** A request with a payload of this shape, which fails unless the answer is the payload. */
export function echoOf(client: Requester, shape: PayloadShape): (done: Done) => void {
  const payload = makePayload(shape);
  return (done) => {
    client.request(payload, (error, answer) => {
      if (error !== undefined) done(error);
      else if (isEcho(answer, payload)) done(undefined);
      else done(new Error('An answer is not what was sent'));
    });
  };
}
