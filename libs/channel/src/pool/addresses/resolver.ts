import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

import { connectFailed } from '../../client/connect-failed.js';
import { Deadline } from '../../deadline.js';
import { TransportError } from '../../errors.js';
import { formatEndpoint } from '../../options/endpoint.js';
import type { Endpoint } from '../../options/endpoint.js';
import { closed } from '../waiting-calls.js';

/** A host and a port, where the host may be a name. */
export type NamedEndpoint = Extract<Endpoint, { readonly host: string }>;

/** Only our own tests replace its function. */
export const resolver = {
  lookup: async (host: string): Promise<readonly string[]> =>
    (await lookup(host, { all: true })).map(({ address }) => address),
};

/** Returns whether the host is a name, which is resolved; an IP address and a path are used as they are. */
export function hasName(endpoint: Endpoint): endpoint is NamedEndpoint {
  return 'host' in endpoint && isIP(endpoint.host.replace(/%.*/, '')) === 0;
}

/** Looks up the addresses of one name. */
export class NameLookup {
  readonly #endpoint: NamedEndpoint;
  readonly #timeoutMs: number;
  /** The lookup of the system, which cannot be cancelled. There is at most one, however long it takes. */
  #running: Promise<readonly string[]> | undefined;

  constructor(endpoint: NamedEndpoint, timeoutMs: number) {
    this.#endpoint = endpoint;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Returns the addresses of the name, each once.
   *
   * @throws {TransportError} `ERR_CONNECT_FAILED`, `ERR_CONNECT_TIMEOUT`; `ERR_CLIENT_CLOSED` after `signal`.
   */
  run(signal: AbortSignal): Promise<readonly string[]> {
    const name = formatEndpoint(this.#endpoint);
    this.#running ??= resolver.lookup(this.#endpoint.host).finally(() => (this.#running = undefined));
    const found = this.#running;
    return new Promise((resolve, reject) => {
      const fail = (error: TransportError): void => reject(error.ofMessage(false));
      const deadline = new Deadline(this.#timeoutMs, () =>
        fail(new TransportError('ERR_CONNECT_TIMEOUT', `${name} was not resolved within ${this.#timeoutMs} ms`)),
      );
      const abort = (): void => {
        deadline.clear();
        reject(closed());
      };
      signal.addEventListener('abort', abort, { once: true });
      const settle = (end: () => void): void => {
        deadline.clear();
        signal.removeEventListener('abort', abort);
        end();
      };
      found.then(
        (addresses) => settle(() => (addresses.length > 0 ? resolve([...new Set(addresses)]) : fail(noAddress(name)))),
        (cause: unknown) => settle(() => fail(connectFailed(name, toError(cause)))),
      );
    });
  }
}

function noAddress(name: string): TransportError {
  return new TransportError(
    'ERR_CONNECT_FAILED',
    `Cannot connect to ${name}: the name has no address: check the name of the host`,
  );
}

function toError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
