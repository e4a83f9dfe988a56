import { ClientTCP, ServerTCP } from '@nestjs/microservices';
import type { Peer, Secrets } from '../peer.js';
import { connectClient, HOST, serveStrategy } from './nest.js';
import { nestLimits } from './nest-tcp.js';

/** Nest's own TCP transport over TLS, with the versions and ciphers that Node chooses. */
export const nestTls: Peer = {
  name: 'nest-tls',
  missing: missingCertificate,
  serve: (setting) =>
    serveStrategy(new ServerTCP({ host: HOST, port: 0, ...serverTls(setting.secrets), ...nestLimits(setting) })),
  connect: (setting, port) =>
    connectClient(new ClientTCP({ host: HOST, port, ...clientTls(setting.secrets), ...nestLimits(setting) })),
};

export function missingCertificate({ certificate }: Secrets): string | undefined {
  return certificate === undefined ? 'the openssl command, which makes its certificate' : undefined;
}

export function serverTls({ certificate }: Secrets): { tlsOptions: { cert?: string; key?: string } } {
  return { tlsOptions: { ...certificate } };
}

export function clientTls({ certificate }: Secrets): { tlsOptions: { ca?: string } } {
  return { tlsOptions: certificate === undefined ? {} : { ca: certificate.cert } };
}
