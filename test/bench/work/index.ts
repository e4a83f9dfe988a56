import type { ConnectedClient } from '../peer.js';
import type { Workload } from '../workload.js';
import { runBeside } from './beside.js';
import { runConnect } from './connect.js';
import { runEcho } from './echo.js';
import { runEvents } from './events.js';
import { runHash } from './hash.js';
import { runIdle } from './idle.js';
import type { Outcome } from './outcome.js';
import { runStream } from './stream.js';

/** What a workload runs on. */
export interface Workplace {
  /** A connection that is open. */
  readonly client: ConnectedClient;
  /** Opens another one. */
  readonly connect: () => Promise<ConnectedClient>;
}

/** Runs for about `durationMs`, or once where a workload has an end of its own. Every answer is checked. */
export function runWorkload({ client, connect }: Workplace, workload: Workload, durationMs: number): Promise<Outcome> {
  switch (workload.kind) {
    case 'echo':
      return runEcho(client, workload, durationMs);
    case 'hash':
      return runHash(client, workload.inFlight, durationMs);
    case 'stream':
      return runStream(client, workload.values, durationMs);
    case 'events':
      return runEvents(client, workload, durationMs);
    case 'connect':
      return runConnect(connect, { durationMs, connections: workload.connections ?? 1 });
    case 'idle':
      return runIdle(connect, workload.connections);
    case 'beside':
      return runBeside(client, workload, durationMs);
  }
}
