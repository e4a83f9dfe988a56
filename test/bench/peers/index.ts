import type { Peer } from '../peer.js';
import { nestTcpApp, nestTlsApp, sealwireApp } from './applications.js';
import { bareNet, tlsPsk } from './bare.js';
import { grpc } from './grpc.js';
import { moleculer } from './moleculer.js';
import { nestNats, sealedNats } from './nats.js';
import { nestPsk } from './nest-psk.js';
import { nestTcp } from './nest-tcp.js';
import { nestTls } from './nest-tls.js';
import { sealwireCluster, sealwireServers } from './scaled.js';
import { sealwire } from './sealwire.js';

/** In the order of a round; the last one is what the others are measured against. */
export const STRATEGIES: readonly Peer[] = [nestTcp, nestTls, nestPsk, sealwire];
export const APPLICATIONS: readonly Peer[] = [nestTcpApp, nestTlsApp, sealwireApp];
export const ALL_PEERS: readonly Peer[] = [bareNet, tlsPsk, moleculer, grpc, ...STRATEGIES];
/** One connection of each is one socket. */
export const SOCKET_PEERS: readonly Peer[] = [bareNet, tlsPsk, ...STRATEGIES];
export const SCALED_PEERS: readonly Peer[] = [
  sealwire,
  sealwireCluster(2),
  sealwireCluster(4),
  sealwireServers(2),
  sealwireServers(4),
];
/** The same numbers of servers behind a broker, and in the pool of a client. */
export const BROKER_PEERS: readonly Peer[] = [
  nestNats(1),
  sealedNats(1),
  sealedNats(2),
  sealedNats(4),
  sealwireServers(2),
  sealwireServers(4),
  sealwire,
];
export const EVENT_PEERS: readonly Peer[] = [moleculer, ...STRATEGIES];

export function findPeer(name: string): Peer {
  const peer = [...ALL_PEERS, ...APPLICATIONS, ...SCALED_PEERS, ...BROKER_PEERS].find((each) => each.name === name);
  if (peer === undefined) throw new Error(`No peer is called ${name}`);
  return peer;
}
