import { CryptoError } from '@sealwire/crypto';
import { TransportError } from '@sealwire/transport';

import { StartError } from './config/start-error.js';

/** Which settings say where a listener listens. */
export interface ListenerVariables {
  readonly address: string;
  readonly port: string;
}

/** @returns What is wrong and what to do, in one line; undefined for what only a stack trace can explain. */
export function explainStartFailure(error: unknown): string | undefined {
  if (error instanceof StartError) return error.message;
  if (error instanceof CryptoError) return `SEALWIRE_KEY_FILE: ${error.message}`;
  return undefined;
}

/** Names the setting that keeps the legacy wire from starting: its key, or where it was to listen. */
export function legacyFailed(error: unknown, where: string, variables: ListenerVariables): unknown {
  const isOfKey =
    error instanceof CryptoError || (error instanceof TransportError && error.code === 'ERR_LEGACY_KEY_SHARED');
  if (isOfKey) return new StartError(`LEGACY_KEY_FILE: ${error.message}`, { cause: error });
  return listenFailed(error, where, variables);
}

/** Names the setting that keeps a listener from listening at `where`. */
export function listenFailed(error: unknown, where: string, variables: ListenerVariables): unknown {
  const errno = errnoOf(error);
  switch (errno) {
    case 'EADDRINUSE':
      return new StartError(`${variables.port}: ${where} is in use; stop what listens there or choose another`, {
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
      return new StartError(
        `${variables.port}: this app may not listen at ${where} (or there is no such directory); choose another`,
        { cause: error },
      );
    case 'EADDRNOTAVAIL':
    case 'EAI_AGAIN':
    case 'EINVAL':
    case 'ENOENT':
    case 'ENOTFOUND':
      return new StartError(`${variables.address}: ${where} is no address of this machine (${errno})`, {
        cause: error,
      });
    default:
      return error;
  }
}

/** The system's own code of a failure, however deep it lies. */
function errnoOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if ('syscall' in error && 'code' in error) return String(error.code);
  return errnoOf(error.cause);
}
