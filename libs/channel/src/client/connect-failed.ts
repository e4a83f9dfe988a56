// The error of an address that cannot be reached, with its remedy.
import { isTransportError, TransportError } from '../errors.js';

const NOTHING_LISTENS = 'check the address, and whether the server is running';
const NO_ROUTE = 'check the address and the network';

const REMEDY_OF: Readonly<Record<string, string>> = {
  ECONNREFUSED: NOTHING_LISTENS,
  ENOENT: NOTHING_LISTENS,
  ENOTFOUND: 'check the name of the host',
  EHOSTUNREACH: NO_ROUTE,
  ENETUNREACH: NO_ROUTE,
};

/** @param server - The address as text. */
export function connectFailed(server: string, cause: Error): TransportError {
  // A host name with several addresses fails with one error for each of them.
  const errors = 'errors' in cause && Array.isArray(cause.errors) ? cause.errors : undefined;
  const reason = errors?.map(String).join('; ') ?? cause.message;
  const remedy = remedyOf(cause);
  const message = `Cannot connect to ${server}: ${reason}`;
  return new TransportError('ERR_CONNECT_FAILED', remedy === undefined ? message : `${message}: ${remedy}`, { cause });
}

/**
 * Returns the messages of errors in one sentence. A remedy that all of them end with is only at its end.
 *
 * @param messageOf - Returns what to say of an error.
 */
export function joinReasons<T extends { readonly error: unknown }>(
  failed: readonly T[],
  messageOf: (failure: T) => string,
): string {
  const [remedy, ...others] = new Set(failed.map(({ error }) => remedyOfFailure(error)));
  const messages = failed.map(messageOf);
  if (remedy === undefined || others.length > 0) return messages.join('; ');
  const end = `: ${remedy}`;
  const reasons = messages.map((message) => (message.endsWith(end) ? message.slice(0, -end.length) : message));
  return `${reasons.join('; ')}${end}`;
}

function remedyOfFailure(error: unknown): string | undefined {
  return isTransportError(error) && error.code === 'ERR_CONNECT_FAILED' ? remedyOf(error.cause) : undefined;
}

function remedyOf(cause: unknown): string | undefined {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return undefined;
  return REMEDY_OF[String(cause.code)];
}
