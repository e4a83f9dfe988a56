import type { PayloadShape } from './payload.js';
import type { Peer, Setting } from './peer.js';
import {
  ALL_PEERS,
  APPLICATIONS,
  BROKER_PEERS,
  EVENT_PEERS,
  SCALED_PEERS,
  SOCKET_PEERS,
  STRATEGIES,
} from './peers/index.js';
import type { Workload } from './workload.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Workloads that go through the same peers in the same rounds. */
export interface Group {
  readonly name: string;
  /** In the order of a round; the last one is what the others are measured against. */
  readonly peers: readonly Peer[];
  readonly limits: Setting['limits'];
  readonly workloads: readonly Workload[];
  /** Where a round takes minutes. */
  readonly maxRounds?: number;
}

const echo = (inFlight: number, payloadBytes: number, as: PayloadShape['as'] = 'json'): Workload => ({
  kind: 'echo',
  inFlight,
  payloadBytes,
  as,
});

/** Their tables are in a document of their own. */
export const SCALE = 'scale';
export const SCALE_BROKER = 'scale-broker';

const IN_FLIGHT = [1, 16, 64, 512];
const SIZES = [64, 256, 4 * KIB, 64 * KIB, MIB];

/** The headline: what is compared in under a minute. */
export const QUICK_GROUPS: readonly Group[] = [
  {
    name: 'strategies',
    peers: STRATEGIES,
    limits: 'default',
    workloads: [echo(1, 256), echo(64, 256), echo(4, MIB)],
  },
  { name: 'applications', peers: APPLICATIONS, limits: 'default', workloads: [echo(64, 256)] },
];

export const GROUPS: readonly Group[] = [
  {
    name: 'in-flight',
    peers: ALL_PEERS,
    limits: 'default',
    workloads: IN_FLIGHT.map((inFlight) => echo(inFlight, 256)),
  },
  { name: 'size', peers: ALL_PEERS, limits: 'raised', workloads: SIZES.map((bytes) => echo(4, bytes)) },
  {
    name: 'fields',
    peers: STRATEGIES,
    limits: 'raised',
    workloads: [echo(4, 64 * KIB, 'fields'), echo(4, MIB, 'fields')],
  },
  {
    name: 'bytes',
    peers: ALL_PEERS,
    limits: 'raised',
    // Nest stops at several in flight: with one there is something to compare with.
    workloads: [echo(1, MIB, 'bytes'), echo(4, MIB, 'bytes'), echo(1, 16 * MIB, 'bytes')],
  },
  {
    name: 'bulk',
    peers: ALL_PEERS,
    limits: 'default',
    workloads: [echo(128, 64 * KIB), echo(512, 64 * KIB)],
  },
  {
    name: 'applications',
    peers: APPLICATIONS,
    limits: 'default',
    workloads: IN_FLIGHT.map((inFlight) => echo(inFlight, 256)),
  },
  { name: 'streams', peers: STRATEGIES, limits: 'default', workloads: [{ kind: 'stream', values: 10_000 }] },
  {
    name: 'events',
    peers: EVENT_PEERS,
    limits: 'default',
    workloads: [{ kind: 'events', inFlight: 64, as: 'json', payloadBytes: 256 }],
  },
  { name: 'connect', peers: SOCKET_PEERS, limits: 'default', workloads: [{ kind: 'connect' }] },
  {
    name: 'idle',
    peers: SOCKET_PEERS,
    limits: 'default',
    workloads: [
      { kind: 'idle', connections: 1000 },
      { kind: 'idle', connections: 10_000 },
    ],
    maxRounds: 3,
  },
  {
    name: SCALE,
    peers: SCALED_PEERS,
    limits: 'default',
    workloads: [echo(64, 256), { kind: 'hash', inFlight: 64 }],
  },
  {
    name: SCALE_BROKER,
    peers: BROKER_PEERS,
    limits: 'default',
    workloads: [echo(64, 256), { kind: 'hash', inFlight: 64 }],
  },
  {
    name: 'beside',
    peers: STRATEGIES,
    limits: 'raised',
    workloads: [
      { kind: 'beside', transfer: 'stream', transferBytes: 64 * MIB },
      { kind: 'beside', transfer: 'message', transferBytes: 64 * MIB },
    ],
    maxRounds: 3,
  },
];
