import { SealwireClient, SealwireServer } from '@sealwire/transport';
import type { Peer } from '../peer.js';
import { connectClient, serveEcho } from './nest.js';

const HOST = '127.0.0.1';

export const sealwire: Peer = {
  name: 'sealwire',
  serve: ({ keyFile }) => serveEcho(new SealwireServer({ host: HOST, port: 0, keyFile })),
  connect: ({ keyFile }, port) => connectClient(new SealwireClient({ host: HOST, port, keyFile })),
};
