// The usual failures of a connection and of a call, in words for operators.
import { codeOf } from '@sealwire/channel/internal';
import type { TransportErrorCode } from '@sealwire/channel';

import { Failure } from '../failure.js';

export interface CallFacts {
  readonly server: string;
  readonly keyId: string;
  readonly service: string;
  readonly timeoutMs: number;
  /** Empty if there is none. */
  readonly pattern: string;
}

type Words = (facts: CallFacts, error: unknown) => string;

const timedOut: Words = ({ server, timeoutMs }) =>
  `${server} did not answer within ${timeoutMs} ms: check the address and the firewall, and whether the server is busy or speaks another protocol`;

const WORDS: Partial<Record<TransportErrorCode, Words>> = {
  ERR_ALERT: ({ server, keyId, service }) =>
    `${server} refused the handshake: the server does not accept the key ${keyId}, has another service name than ${JSON.stringify(service)}, or is busy. The log of the server has the reason`,
  ERR_BAD_MAC: ({ server, keyId, service }) =>
    `The answer from ${server} is not sealed under the key ${keyId} for the service ${JSON.stringify(service)}: check the address, the key and --service`,
  ERR_CONNECT_FAILED: ({ server }, error) => {
    const [line, reason] = [`Cannot connect to ${server}: `, reasonOf(error)];
    const text = reason.startsWith(line) ? reason : `${line}${reason}`; // the error of an unknown reason says the same
    return `${text}. Check the address, and whether the server is running`;
  },
  ERR_HANDSHAKE_MALFORMED: ({ server }) =>
    `${server} does not speak version 1 of this protocol: check the address; another program or another version of the server may be listening there`,
  ERR_CONNECT_TIMEOUT: timedOut,
  ERR_HANDSHAKE_TIMEOUT: timedOut,
  ERR_PING_TIMEOUT: timedOut,
  ERR_REQUEST_TIMEOUT: ({ server, timeoutMs }) =>
    `The call to ${server} was not complete within ${timeoutMs} ms: raise --timeout, or see the log of the server`,
  ERR_MESSAGE_MALFORMED: ({ server }) =>
    `${server} cannot read the message: a server without Nest takes raw bytes, and this command sends JSON`,
  ERR_FORBIDDEN: ({ server, keyId, pattern }) =>
    `${server} does not let the key ${keyId} call the pattern ${JSON.stringify(pattern)}: use another key, or change the patterns of this key at the server`,
};

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing is listening there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host could not be resolved now',
  ENOENT: 'there is no such socket',
  EACCES: 'this user is not allowed to use the socket',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
};

/** Returns the failure in words; every other error stays as it is. */
export function explain(error: unknown, facts: CallFacts): unknown {
  const code = codeOf(error);
  const words = code === undefined ? undefined : WORDS[code];
  return code === undefined || words === undefined ? error : new Failure(code, words(facts, error));
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const errno = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  const reason = REASONS[errno];
  return reason === undefined ? error.message : `${reason} (${errno})`;
}
