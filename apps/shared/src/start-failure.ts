import { CryptoError } from '@sealwire/crypto';

import { StartError } from './settings/index.js';

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

/** Adds the command that makes a key, which is of this repository and not of the library. */
function keygenHint({ code }: CryptoError): string {
  const isNewKeyNeeded = /^ERR_KEY_(FILE_MISSING|TEXT|PATTERN|FEW_VALUES|REPEATED_BYTE|PUBLISHED)$/.test(code);
  return isNewKeyNeeded ? ' (in this repository: "npm run keys -- keygen FILE")' : '';
}

/** Names the setting that keeps a listener from listening at `where`; an error without a code stays as it is. */
export function listenFailed(cause: unknown, where: string, { address, port }: ListenerVariables): unknown {
  const code = codeOf(cause);
  switch (code) {
    case undefined:
      return cause;
    case 'EADDRINUSE':
      return new StartError(`${port}: ${where} is in use; stop what listens there or choose another`, { cause });
    case 'EACCES':
    case 'EPERM':
      return new StartError(
        `${port}: this app may not listen at ${where} (or there is no such directory); choose another`,
        { cause },
      );
    case 'EADDRNOTAVAIL':
    case 'EAI_AGAIN':
    case 'EINVAL':
    case 'ENOENT':
    case 'ENOTFOUND':
      return new StartError(`${address}: ${where} is not an address of this machine (${code})`, { cause });
    default:
      return new StartError(`${address}: this app cannot listen at ${where} (${code})`, { cause });
  }
}

const IP_ADDRESS = /^[\d.]+$|:/;

/** An address and port as a failure shows them. Any other name may be a secret that was meant for another variable. */
export function shownAddress(host: string, port: number): string {
  return IP_ADDRESS.test(host) || host === 'localhost' ? `${host}:${port}` : `port ${port} of the host that is set`;
}

/** The code of the innermost cause: that of the system, or of Node, which refuses some addresses by itself. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return codeOf(error.cause) ?? ('code' in error ? String(error.code) : undefined);
}
