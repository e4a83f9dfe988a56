// The client side of the legacy wire (docs/protocol.md §9): connect, send the ciphertext, FIN, under one deadline.
import { connect } from 'node:net';

import { TransportError } from '@sealwire/channel';
import { connectFailed, Deadline, formatEndpoint, SOCKET_OPTIONS } from '@sealwire/channel/internal';
import type { Endpoint } from '@sealwire/channel/internal';

export interface DeliveryOptions {
  readonly endpoint: Endpoint;
  readonly ciphertext: Buffer;
  /** The time from the start to the FIN. */
  readonly connectionTimeoutMs: number;
  /** Cancels the delivery. */
  readonly signal: AbortSignal;
}

/**
 * Delivers one message. Resolves when all bytes and the FIN were passed to the system; the wire has no acknowledgement.
 *
 * @throws {TransportError} `ERR_CONNECT_FAILED`, `ERR_CONNECT_TIMEOUT`, `ERR_CONNECTION_LOST`, `ERR_LEGACY_TIMEOUT`,
 *   `ERR_CLIENT_CLOSED` after `signal`; `sent` says whether any byte may have been sent.
 */
export function deliver({ endpoint, ciphertext, connectionTimeoutMs, signal }: DeliveryOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const where = formatEndpoint(endpoint);
    const socket = connect({ ...endpoint, ...SOCKET_OPTIONS });
    let isConnected = false;

    const settle = (error?: TransportError): void => {
      deadline.clear();
      signal.removeEventListener('abort', abort);
      socket.destroy(); // the system still sends the bytes that it has
      if (error === undefined) resolve();
      else reject(error.ofMessage(isConnected));
    };
    const expire = (): void => {
      const code = isConnected ? 'ERR_LEGACY_TIMEOUT' : 'ERR_CONNECT_TIMEOUT';
      settle(new TransportError(code, `${where} did not receive the whole message within ${connectionTimeoutMs} ms`));
    };
    const abort = (): void =>
      settle(new TransportError('ERR_CLIENT_CLOSED', 'The call was cancelled before the message was sent'));
    const deadline = new Deadline(connectionTimeoutMs, expire);

    signal.addEventListener('abort', abort);
    socket.once('connect', () => {
      isConnected = true;
      socket.end(ciphertext);
    });
    socket.once('finish', () => settle());
    socket.on('error', (cause) => {
      if (isConnected) settle(new TransportError('ERR_CONNECTION_LOST', cause.message, { cause }));
      else settle(connectFailed(where, cause));
    });
    if (signal.aborted) abort();
  });
}
