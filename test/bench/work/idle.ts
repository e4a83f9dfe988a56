import { setTimeout as wait } from 'node:timers/promises';

import type { ConnectedClient } from '../peer.js';
import { connectAnswered } from './connect.js';
import type { Outcome } from './outcome.js';

/** Fewer than a server takes from one address before they are authenticated. */
const DIALS_AT_ONCE = 32;

/** A connection may give up memory once it has been idle for a moment: memory is read after that, for all peers alike. */
const IDLE_MS = 2_500;

/** Held until the process ends. */
const held: ConnectedClient[] = [];

/** Opens `connections` and keeps them; each is answered once. */
export async function runIdle(connect: () => Promise<ConnectedClient>, connections: number): Promise<Outcome> {
  const startedAt = performance.now();
  const before = held.length;
  let dialed = 0;
  const dialInTurn = async (): Promise<void> => {
    while (dialed < connections) {
      dialed++;
      held.push(await connectAnswered(connect));
    }
  };
  try {
    await Promise.all(Array.from({ length: DIALS_AT_ONCE }, dialInTurn));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`after ${held.length - before} of ${connections} connections: ${why}`, { cause });
  }
  const elapsedMs = performance.now() - startedAt;
  await wait(IDLE_MS);
  return { units: connections, latenciesMs: [], elapsedMs };
}
