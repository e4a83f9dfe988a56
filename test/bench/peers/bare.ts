import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import type { Peer, RunningServer } from '../peer.js';
import { framedClient } from './framed.js';
import { HOST } from './nest.js';
import { clientPsk, PSK_CIPHER, serverPsk } from './psk.js';

/** The floor: the same bytes through a plain socket, sent back by a server that does not look at them. */
export const bareNet: Peer = {
  name: 'net',
  serve: () => listen(createServer({ noDelay: true }, echo)),
  connect: async (_setting, port) => {
    const socket = connect({ host: HOST, port, noDelay: true });
    await once(socket, 'connect');
    return framedClient(socket);
  },
};

/** The same under TLS 1.2 with a shared key. */
export const tlsPsk: Peer = {
  name: 'tls-psk',
  serve: ({ secrets }) => listen(createTlsServer(serverPsk(secrets), echo)),
  connect: async ({ secrets }, port) => {
    const socket = connectTls({ host: HOST, port, ...clientPsk(secrets) });
    await once(socket, 'secureConnect');
    socket.setNoDelay(true);
    const { name } = socket.getCipher();
    if (name !== PSK_CIPHER) throw new Error(`TLS chose ${name}`);
    return framedClient(socket);
  },
};

function echo(socket: Socket): void {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy()); // a client that closes without a word
  socket.pipe(socket);
}

async function listen(server: Server): Promise<RunningServer> {
  server.listen(0, HOST);
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}
