import { ClientTCP, ServerTCP } from '@nestjs/microservices';
import type { Peer, Setting } from '../peer.js';
import { NEST_TCP_LIMITS } from '../raised-limits.js';
import { connectClient, HOST, serveStrategy } from './nest.js';

/** Nest's own TCP transport as it comes: plaintext. */
export const nestTcp: Peer = {
  name: 'nest-tcp',
  serve: (setting) => serveStrategy(new ServerTCP({ host: HOST, port: 0, ...nestLimits(setting) })),
  connect: (setting, port) => connectClient(new ClientTCP({ host: HOST, port, ...nestLimits(setting) })),
};

export function nestLimits({ limits }: Setting): Partial<typeof NEST_TCP_LIMITS> {
  return limits === 'raised' ? NEST_TCP_LIMITS : {};
}
