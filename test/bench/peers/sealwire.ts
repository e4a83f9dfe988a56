import { SealwireClient, SealwireServer } from '@sealwire/transport';
import type { SealwireOptions } from '@sealwire/transport';
import type { Peer, Setting } from '../peer.js';
import { SEALWIRE_LIMITS } from '../raised-limits.js';
import { connectClient, HOST, serveStrategy } from './nest.js';

export const sealwire: Peer = {
  name: 'sealwire',
  serve: (setting) => serveStrategy(new SealwireServer({ host: HOST, port: 0, ...sealwireOptions(setting) })),
  connect: (setting, port) => connectClient(new SealwireClient({ host: HOST, port, ...sealwireOptions(setting) })),
};

export function sealwireOptions({ secrets, limits }: Setting): SealwireOptions {
  return { keyFile: secrets.keyFile, ...(limits === 'raised' ? { limits: SEALWIRE_LIMITS } : {}) };
}
