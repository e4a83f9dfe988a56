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
  if (error instanceof CryptoError) return `SEALWIRE_KEY_FILE: ${error.message}${keygenHint(error)}`;
  return undefined;
}

/** The library does not know of the commands of this repository. */
function keygenHint({ code }: CryptoError): string {
  const isNewKeyNeeded = /^ERR_KEY_(FILE_MISSING|TEXT|PATTERN|FEW_VALUES|REPEATED_BYTE|PUBLISHED)$/.test(code);
  return isNewKeyNeeded ? ' (in this repository: "npm run keys -- keygen FILE")' : '';
}

/** Names the setting that keeps the legacy wire from starting: its key, or where it was to listen. */
export function legacyFailed(error: unknown, where: string, variables: ListenerVariables): unknown {
  const isOfKey =
    error instanceof CryptoError || (error instanceof TransportError && error.code === 'ERR_LEGACY_KEY_SHARED');
  if (isOfKey) return new StartError(`LEGACY_KEY_FILE: ${error.message}`, { cause: error });
  return listenFailed(error, where, variables);
}

/** Names the setting that keeps a listener from listening at `where`; what has no code at all stays as it is. */
export function listenFailed(error: unknown, where: string, variables: ListenerVariables): unknown {
  const code = codeOf(error);
  switch (code) {
    case undefined:
      return error;
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
      return new StartError(`${variables.address}: ${where} is no address of this machine (${code})`, {
        cause: error,
      });
    default:
      return new StartError(`${variables.address}: this app cannot listen at ${where} (${code})`, { cause: error });
  }
}

const IP_ADDRESS = /^[\d.]+$|:/;

/** An address and port as a failure shows it. A name that is none may be a secret that was meant for another variable. */
export function shownAddress(host: string, port: number): string {
  return IP_ADDRESS.test(host) || host === 'localhost' ? `${host}:${port}` : `port ${port} of the host that is set`;
}

/** The code that lies deepest in a failure: that of the system, or of what Node refuses before it asks the system. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return codeOf(error.cause) ?? ('code' in error ? String(error.code) : undefined);
}
