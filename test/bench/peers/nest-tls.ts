import { ClientTCP, ServerTCP } from '@nestjs/microservices';
import type { Peer } from '../peer.js';
import { connectClient, serveEcho } from './nest.js';

const HOST = '127.0.0.1';

/** Nest's own TCP transport over TLS, with the versions and ciphers that Node chooses. */
export const nestTls: Peer = {
  name: 'nest-tls',
  missing: ({ certificate }) =>
    certificate === undefined ? 'the openssl command, which makes its certificate' : undefined,
  serve: ({ certificate }) => serveEcho(new ServerTCP({ host: HOST, port: 0, tlsOptions: { ...certificate } })),
  connect: ({ certificate }, port) =>
    connectClient(new ClientTCP({ host: HOST, port, tlsOptions: certificate ? { ca: certificate.cert } : {} })),
};
