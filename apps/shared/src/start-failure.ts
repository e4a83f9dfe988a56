import { CryptoError } from '@sealwire/crypto';

import { StartError } from './settings/index.js';

/** The names of the settings of a listener's address. */
export interface ListenerVariables {
  readonly address: string;
  readonly port: string;
}

/** Returns one line with the reason and a remedy; undefined for an unexpected error, which needs a stack. */
export function explainStartFailure(error: unknown): string | undefined {
  if (error instanceof StartError) return error.message;
  if (error instanceof CryptoError) return `SEALWIRE_KEY_FILE: ${error.message}${commandHint(error)}`;
  return undefined;
}

/** Returns how to enter a command of the message here: the library does not know it, because it belongs to this repository. */
function commandHint({ message }: CryptoError): string {
  const command = /npx sealwire (?:keyring )?[a-z]+/.exec(message)?.[0].replace('npx sealwire', 'npm run keys --');
  return command === undefined ? '' : ` (in this repository: "${command} FILE")`;
}

/** Returns an error that names the setting because of which a listener failed; an error without a code is unchanged. */
export function listenFailed(cause: unknown, where: string, { address, port }: ListenerVariables): unknown {
  const code = codeOf(cause);
  switch (code) {
    case undefined:
      return cause;
    case 'EADDRINUSE':
      return new StartError(`${port}: ${where} is in use; stop the program that listens there, or set another value`, {
        cause,
      });
    case 'EACCES':
    case 'EPERM':
      return new StartError(
        `${port}: this app cannot listen on ${where}, because this user has no permission, or the directory of the Unix socket does not exist; set another value`,
        { cause },
      );
    case 'EADDRNOTAVAIL':
    case 'EAI_AGAIN':
    case 'EINVAL':
    case 'ENOENT':
    case 'ENOTFOUND':
      return new StartError(
        `${address}: this app cannot listen on ${where} (${code}), because the host is not an address of this machine or cannot be resolved; set another value`,
        {
          cause,
        },
      );
    case 'EMFILE':
    case 'ENFILE':
      return new StartError(`${address}: this app cannot listen on ${where} (${code}); raise the limit on open files`, {
        cause,
      });
    default:
      return new StartError(`${address}: this app cannot listen on ${where} (${code}); set another value`, { cause });
  }
}

const IP_ADDRESS = /^[\d.]+$|:/;

/** Formats an address and port for an error. A host name is not shown: it may be a secret meant for another variable. */
export function shownAddress(host: string, port: number): string {
  return IP_ADDRESS.test(host) || host === 'localhost' ? `${host}:${port}` : `port ${port} of the configured host`;
}

/** Returns the code of the innermost cause, which comes from the system, or from Node if it refuses the address. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return codeOf(error.cause) ?? ('code' in error ? String(error.code) : undefined);
}
