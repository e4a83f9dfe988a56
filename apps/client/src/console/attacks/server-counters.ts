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

/**
 * Reads the counters of all servers that are found. @param calls - The number of calls, each of which finds one server.
 */
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

/**
 * Compares the counters of the servers that were found both times.
 *
 * @param isShared - Whether several servers may share the calls, so that one of them may not have been found.
 */
export function countersFact(before: ServerCounters, after: ServerCounters, isShared: boolean): Fact {
  const name = 'Counters';
  if (typeof before === 'string') return { name, text: `The server did not return its counters: ${before}.` };
  if (typeof after === 'string') return { name, text: `The server did not return its counters: ${after}.` };
  const pairs = [...before].flatMap(([process, earlier]) => {
    const later = after.get(process);
    return later === undefined ? [] : [{ earlier, later }];
  });
  if (pairs.length === 0) return { name, text: 'No server returned its counters both before and after the attack.' };
  const sum = (when: 'earlier' | 'later', what: 'handled' | 'failures', key: string): number =>
    pairs.reduce((total, pair) => total + (pair[when][what][key] ?? 0), 0);
  const change = (what: 'handled' | 'failures', key: string): string =>
    `from ${sum('earlier', what, key)} to ${sum('later', what, key)}`;
  const failures = [...new Set(pairs.flatMap(({ later }) => Object.keys(later.failures)))]
    .filter((key) => sum('later', 'failures', key) > sum('earlier', 'failures', key))
    .map((key) => `${key} rose ${change('failures', key)}`);
  const failed = failures.length === 0 ? 'the failures did not change' : failures.join(', ');
  const servers = isShared ? `${pairs.length} of the servers` : 'the server';
  const handled = `the handled calls of echo went ${change('handled', 'echo')}`;
  return { name, text: `In the counters of ${servers}, ${failed}, and ${handled}.` };
}
