import { joinReasons } from '../client/connect-failed.js';
import { codeOf, isTransportError, TransportError } from '../errors.js';
import { isOwnFault } from './waiting-calls.js';

/** A failed dial. */
export interface FailedDial {
  readonly server: string;
  readonly error: unknown;
}

/**
 * Returns the error of a call for which no server could be reached: it names each server and its reason. That of a single
 * server, and a failure of this side, are returned as they are.
 *
 * @param failed - The last dials, with the last one of all at the end.
 */
export function noServerReached(failed: readonly FailedDial[]): unknown {
  const last = failed.at(-1)?.error;
  if (!isTransportError(last) || isOwnFault(last)) return last;
  const dials = [...new Map(failed.map((dial) => [dial.server, dial])).values()];
  if (dials.length < 2) return last;
  const message = `None of the ${dials.length} servers could be reached: ${joinReasons(dials, reasonOf)}`;
  const codes = new Set(failed.map(({ error }) => codeOf(error)));
  const code = codes.size === 1 ? last.code : 'ERR_CONNECT_FAILED';
  const cause = new AggregateError(
    failed.map(({ error }) => error),
    message,
  );
  return new TransportError(code, message, { sent: false, cause });
}

function reasonOf({ server, error }: FailedDial): string {
  // An error of user code may be unreadable.
  const reason = isTransportError(error) ? error.message : 'the client failed before it could connect (see `cause`)';
  return reason.includes(server) ? reason : `${server}: ${reason}`;
}
