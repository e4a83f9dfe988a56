import type { SealwireClientOptions, SealwireServerOptions } from '@sealwire/transport';

import { Random } from '../support/random.js';

/** What is done to a server or to the network while the clients call. */
export type Blow =
  /** All connections of a client. */
  | { readonly kind: 'cut' | 'reset'; readonly at: number }
  | { readonly kind: 'stall'; readonly at: number; readonly ms: number }
  /** A server drains and starts again: after it has ended, or, as in a rolling restart, before it drains. */
  | { readonly kind: 'restart' | 'replace'; readonly at: number }
  /** SIGKILL of a server's process, and a new one. */
  | { readonly kind: 'kill'; readonly at: number }
  /** SIGSTOP of a server's process, and SIGCONT. */
  | { readonly kind: 'freeze'; readonly at: number; readonly ms: number };

export interface TimedBlow {
  readonly pauseMs: number;
  readonly blow: Blow;
}

export interface Scenario {
  readonly seed: number;
  /** Whether each server is a process of its own. */
  readonly hasProcesses: boolean;
  readonly durationMs: number;
  readonly servers: readonly SealwireServerOptions[];
  readonly clients: readonly ClientPlan[];
  readonly blows: readonly TimedBlow[];
  /** How many of 100 directions of a connection have an incident. */
  readonly harshness: number;
}

export interface ClientPlan {
  /** The numbers of its servers. */
  readonly servers: readonly number[];
  readonly options: SealwireClientOptions;
}

const MAX_SERVERS = 3;
const MAX_CLIENTS = 4;
const MIN_DURATION_MS = 800;
const MAX_DURATION_MS = 2_500;
/** A process takes a time to start. */
const PROCESS_MS = 2_500;
const MAX_PAUSE_MS = 600;
const MAX_STALL_MS = 1_200;
const BLOWS = ['cut', 'reset', 'stall', 'restart', 'replace'] as const;
const PROCESS_BLOWS = ['kill', 'kill', 'freeze', 'freeze', 'restart', 'replace', 'cut', 'stall'] as const;
const HARSHNESS = [0, 5, 10, 20, 50] as const;

/** Draws a scenario: it depends on the seed and on nothing else. */
export function drawScenario(seed: number): Scenario {
  const random = new Random(seed);
  const hasProcesses = random.oneIn(8);
  const servers = Array.from({ length: 1 + random.below(MAX_SERVERS) }, () => drawServer(random));
  const clients = Array.from({ length: 1 + random.below(MAX_CLIENTS) }, (_, index) => ({
    servers: random.oneIn(2) ? [...servers.keys()] : [index % servers.length],
    options: drawClient(random),
  }));
  const extraMs = hasProcesses ? PROCESS_MS : 0;
  const durationMs = MIN_DURATION_MS + extraMs + random.below(MAX_DURATION_MS - MIN_DURATION_MS);
  const harshness = random.pick(HARSHNESS);
  const blows: TimedBlow[] = [];
  for (let ms = 0; ms < durationMs; ms += blows.at(-1)?.pauseMs ?? 0)
    blows.push({
      pauseMs: 1 + random.below(MAX_PAUSE_MS),
      blow: drawBlow(random, servers.length, clients.length, hasProcesses),
    });
  return { seed, hasProcesses, durationMs, servers, clients, blows, harshness };
}

function drawBlow(random: Random, servers: number, clients: number, hasProcesses: boolean): Blow {
  const kind = hasProcesses ? random.pick(PROCESS_BLOWS) : random.pick(BLOWS);
  switch (kind) {
    case 'cut':
    case 'reset':
      return { kind, at: random.below(clients) };
    case 'stall':
      return { kind, at: random.below(clients), ms: 1 + random.below(MAX_STALL_MS) };
    case 'restart':
    case 'replace':
    case 'kill':
      return { kind, at: random.below(servers) };
    case 'freeze':
      return { kind, at: random.below(servers), ms: 1 + random.below(MAX_STALL_MS) };
  }
}

function drawServer(random: Random): SealwireServerOptions {
  return {
    timeouts: {
      ...drawTimeouts(random),
      handshakeMs: 300 + random.below(2_000),
      ...(random.oneIn(4) && drawAges(random)),
    },
    limits: {
      ...drawLimits(random),
      maxInFlight: random.pick([1, 4, 32, 1_024]),
      ...(random.oneIn(3) && { maxRunning: 1 + random.below(16) }),
      ...(random.oneIn(6) && { maxRunningTotal: 1 + random.below(16) }),
    },
  };
}

function drawClient(random: Random): SealwireClientOptions {
  return {
    timeouts: {
      ...drawTimeouts(random),
      connectMs: 300 + random.below(2_000),
      waitForConnectionMs: random.pick([0, 300, 2_000, 2_000]),
      ...(random.oneIn(4) && drawAges(random)),
    },
    limits: { ...drawLimits(random), ...(random.oneIn(6) && { maxQueuedMessages: 1 + random.below(32) }) },
    connectionsPerServer: random.oneIn(4) ? 2 : 1,
    redial: random.pick([false, true, { minMs: 1, maxMs: 200 }]),
    requestTimeoutMs: random.oneIn(3) ? 100 + random.below(2_000) : 0,
    idempotent: random.oneIn(4),
    delivery: random.pick(['acknowledged', 'acknowledged', 'acknowledged', 'at-least-once', 'sent'] as const),
  };
}

function drawTimeouts(random: Random): NonNullable<SealwireClientOptions['timeouts']> {
  return {
    recordMs: random.pick([500, 2_000, 30_000]),
    messageMs: random.pick([500, 2_000, 30_000]),
    writeMs: random.pick([0, 500, 10_000]),
    pingIntervalMs: random.pick([0, 100, 1_000]),
    pongMs: random.pick([0, 300, 2_000]),
    drainMs: random.pick([0, 200, 1_000]),
    closeMs: random.pick([50, 300]),
  };
}

/** So short that connections are renewed during the run, and some are destroyed. */
function drawAges(random: Random): NonNullable<SealwireClientOptions['timeouts']> {
  const sessionSoftAgeMs = 100 + random.below(500);
  return { sessionSoftAgeMs, sessionHardAgeMs: sessionSoftAgeMs + 300 + random.below(2_000) };
}

function drawLimits(random: Random): NonNullable<SealwireClientOptions['limits']> {
  return random.oneIn(3) ? { key: { softRecords: 20 + random.below(200), softAgeMs: 60_000 } } : {};
}
