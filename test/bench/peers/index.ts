import type { Peer } from '../peer.js';
import { nestTcp } from './nest-tcp.js';
import { nestTls } from './nest-tls.js';
import { sealwire } from './sealwire.js';

/** The peers in the order of a round. */
export const PEERS: readonly Peer[] = [nestTcp, nestTls, sealwire];

/** The peer that the others are measured against. */
export const SUBJECT = sealwire.name;

export function findPeer(name: string): Peer {
  const peer = PEERS.find((each) => each.name === name);
  if (peer === undefined) throw new Error(`No peer is called ${name}`);
  return peer;
}
