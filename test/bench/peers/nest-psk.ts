import { ClientTCP, ServerTCP } from '@nestjs/microservices';
import type { Peer } from '../peer.js';
import { nestLimits } from './nest-tcp.js';
import { connectClient, HOST, serveStrategy } from './nest.js';
import { clientPsk, serverPsk } from './psk.js';

/** Nest's own TCP transport over TLS 1.2 with a pre-shared key, by its `tlsOptions`. */
export const nestPsk: Peer = {
  name: 'nest-psk',
  serve: (setting) =>
    serveStrategy(
      new ServerTCP({ host: HOST, port: 0, tlsOptions: serverPsk(setting.secrets), ...nestLimits(setting) }),
    ),
  connect: (setting, port) =>
    connectClient(new ClientTCP({ host: HOST, port, tlsOptions: clientPsk(setting.secrets), ...nestLimits(setting) })),
};
