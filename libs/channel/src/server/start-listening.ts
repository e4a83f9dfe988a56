import type { Server } from 'node:net';

import { isError, TransportError } from '../errors.js';
import { formatEndpoint } from '../options/endpoint.js';
import type { Endpoint } from '../options/endpoint.js';
import { removeStaleSocket, restrictToOwner } from './unix-socket.js';

/**
 * Makes `server` listen. Removes a stale file of a Unix domain socket first; only the owner can connect to such a
 * socket.
 *
 * @throws {TransportError} `ERR_LISTEN_FAILED` for every failure; `server` does not listen then.
 */
export async function startListening(server: Server, endpoint: Endpoint): Promise<void> {
  try {
    if ('path' in endpoint) await listenAtPath(server, endpoint.path);
    else await bind(server, endpoint);
  } catch (cause) {
    if (server.listening) server.close(); // bound, but other users could connect
    const reason = isError(cause) ? cause.message : String(cause);
    throw new TransportError('ERR_LISTEN_FAILED', `Cannot listen on ${formatEndpoint(endpoint)}: ${reason}`, { cause });
  }
}

async function listenAtPath(server: Server, path: string): Promise<void> {
  try {
    await bind(server, { path });
  } catch (error) {
    if (!(await removeStaleSocket(path))) throw error;
    await bind(server, { path });
  }
  await restrictToOwner(path);
}

function bind(server: Server, endpoint: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(endpoint, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
