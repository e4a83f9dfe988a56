// The server's own counters, which its handler `counters` returns.
import { lastValueFrom, timeout } from 'rxjs';
import { z } from 'zod';

import type { Fact } from './attack-result.js';
import type { AttackedClient } from './attack-stage.js';
import { ANSWER_TIMEOUT_MS, describe } from './echo.js';

const counts = z.record(z.string(), z.number());
const countersSchema = z.object({ process: z.string(), handled: counts, failures: counts });

type Counters = z.infer<typeof countersSchema>;

/** The counters of each server process that was found, or the reason why there are none. */
type ServerCounters = ReadonlyMap<string, Counters> | string;

/** @param calls - How many calls are made to find all servers. */
export async function readCounters(client: AttackedClient, calls: number): Promise<ServerCounters> {
  const read = async (): Promise<Counters> =>
    countersSchema.parse(await lastValueFrom(client.send('counters', {}).pipe(timeout(ANSWER_TIMEOUT_MS))));
  try {
    const found = await Promise.all(Array.from({ length: calls }, read));
    return new Map(found.map((counters) => [counters.process, counters]));
  } catch (error) {
    return describe(error);
  }
}

/** Compares the counters of the servers that were found both times. */
export function countersFact(before: ServerCounters, after: ServerCounters): Fact {
  const name = 'Counters';
  if (typeof before === 'string') return { name, text: `The server did not return its counters: ${before}.` };
  if (typeof after === 'string') return { name, text: `The server did not return its counters: ${after}.` };
  const pairs = [...before].flatMap(([process, earlier]) => {
    const later = after.get(process);
    return later === undefined ? [] : [{ earlier, later }];
  });
  const sum = (when: 'earlier' | 'later', what: 'handled' | 'failures', key: string): number =>
    pairs.reduce((total, pair) => total + (pair[when][what][key] ?? 0), 0);
  const change = (what: 'handled' | 'failures', key: string): string =>
    `from ${sum('earlier', what, key)} to ${sum('later', what, key)}`;
  const failures = [...new Set(pairs.flatMap(({ later }) => Object.keys(later.failures)))]
    .filter((key) => sum('later', 'failures', key) > sum('earlier', 'failures', key))
    .map((key) => `${key} ${change('failures', key)}`);
  const failed = failures.length === 0 ? 'no failure' : failures.join(', ');
  const servers = pairs.length === 1 ? 'The server' : `${pairs.length} servers`;
  return { name, text: `${servers} counted ${failed}; handled calls of echo went ${change('handled', 'echo')}.` };
}
