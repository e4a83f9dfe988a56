import { TransportError } from '@sealwire/transport';
import { firstValueFrom, from, throwError, timeout } from 'rxjs';

/** The time that a call waits for a connection attempt. The attempt continues for later calls. */
export const MAX_CONNECT_WAIT_MS = 1_000;

/** Rejects if `connecting` takes longer than {@link MAX_CONNECT_WAIT_MS}. */
export function withinWait<T>(connecting: Promise<T>): Promise<T> {
  const late = { first: MAX_CONNECT_WAIT_MS, with: () => throwError(notConnectedYet) };
  return firstValueFrom(from(connecting).pipe(timeout(late)));
}

function notConnectedYet(): TransportError {
  const message = `The server did not accept a connection within ${MAX_CONNECT_WAIT_MS} ms; the attempt continues, so try again later`;
  return new TransportError('ERR_CONNECT_TIMEOUT', message, { sent: false });
}
