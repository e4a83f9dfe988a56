import { parseArgs } from 'node:util';

import { Residue } from './history/residue.js';
import { Soak } from './soak-run.js';
import type { SoakResult, Tenth } from './soak-run.js';

const MIB = 1024 * 1024;
const MAX_GROWTH = 0.1;
const LEAST_CALLS = 1_000;
const CALLS_PER_BLOW = 5_000;

function readOptions(): { readonly calls: number; readonly seed: number } {
  const { values } = parseArgs({
    options: { calls: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
  });
  const calls = Number(values.calls);
  if (!Number.isInteger(calls) || calls < LEAST_CALLS)
    throw new Error(`--calls is ${values.calls}, but must be a whole number of at least ${LEAST_CALLS}`);
  return { calls, seed: Number(values.seed) };
}

function printTenth({ calls, ms, memoryBytes }: Tenth): void {
  const rate = Math.round(calls / (ms / 1000));
  console.log(`${count(calls)} calls, ${count(rate)} calls/s, ${(memoryBytes / MIB).toFixed(2)} MiB`);
}

/** Returns what is wrong. */
function judge({ tenths, findings }: SoakResult, left: readonly string[]): readonly string[] {
  const first = tenths[0]?.memoryBytes ?? 0;
  const last = tenths.at(-1)?.memoryBytes ?? 0;
  const growth = last / first - 1;
  console.log(`memory after garbage collections, from the first to the last tenth: ${(100 * growth).toFixed(1)} %`);
  return [...findings, ...left, ...(growth > MAX_GROWTH ? [`memory grew by ${(100 * growth).toFixed(1)} %`] : [])];
}

function print({ requests, events, ms, connections, blows, failed }: SoakResult): void {
  console.log(`${count(requests)} requests, ${count(events)} events in ${(ms / 1000).toFixed(0)} s`);
  console.log(`${count(connections)} connections; ${describe(blows)}`);
  console.log(`failed calls: ${describe(failed)}`);
}

function describe(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, number]) => `${name} ${count(number)}`).join(', ') || 'none';
}

function count(number: number): string {
  return number.toLocaleString('en');
}

/** The listeners of the process, by which it would notice a client that has not left. */
function listenerCount(): number {
  return process.eventNames().reduce((sum, event) => sum + process.listenerCount(event), 0);
}

// A signal ends the run the ordinary way; it may come twice.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
try {
  const options = readOptions();
  console.log(`node ${process.versions.node}, ${count(options.calls)} calls, seed ${options.seed}`);
  const listeners = listenerCount();
  const residue = new Residue();
  const result = await new Soak({ ...options, callsPerBlow: CALLS_PER_BLOW, onTenth: printTenth }).run();
  const left = [...(await residue.end())];
  if (listenerCount() !== listeners) left.push(`${listenerCount() - listeners} listeners of the process are left`);
  print(result);
  const wrong = judge(result, left);
  for (const what of wrong) console.log(`FOUND: ${what}`);
  console.log(wrong.length === 0 ? 'no findings' : `${wrong.length} findings`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
