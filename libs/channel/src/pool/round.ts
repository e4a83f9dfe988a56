import { isError, TransportError } from '../errors.js';
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
  const reasons = new Map(failed.map(({ server, error }) => [server, reasonOf(server, error)]));
  const last = failed.at(-1)?.error;
  if (reasons.size < 2 || !(last instanceof TransportError) || isOwnFault(last)) return last;
  const message = `None of ${reasons.size} servers could be reached: ${[...reasons.values()].join('; ')}`;
  const codes = new Set(failed.map(({ error }) => (error instanceof TransportError ? error.code : undefined)));
  const code = codes.size === 1 ? last.code : 'ERR_CONNECT_FAILED';
  const cause = new AggregateError(
    failed.map(({ error }) => error),
    message,
  );
  return new TransportError(code, message, { sent: false, cause });
}

function reasonOf(server: string, error: unknown): string {
  const reason = isError(error) ? error.message : String(error);
  return reason.includes(server) ? reason : `${server}: ${reason}`;
}
