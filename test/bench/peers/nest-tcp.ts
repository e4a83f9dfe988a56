import { ClientTCP, ServerTCP } from '@nestjs/microservices';
import type { Peer } from '../peer.js';
import { connectClient, serveEcho } from './nest.js';

const HOST = '127.0.0.1';

/** Nest's own TCP transport as it comes: plaintext. */
export const nestTcp: Peer = {
  name: 'nest-tcp',
  serve: () => serveEcho(new ServerTCP({ host: HOST, port: 0 })),
  connect: (_secrets, port) => connectClient(new ClientTCP({ host: HOST, port })),
};
