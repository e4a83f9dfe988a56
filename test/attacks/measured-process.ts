// A server, or an honest client, in a process of its own: so its memory and its times are not those of the attacker.
// Started by ServerProcess, which tells it what to do and ends it.
import { Keyring, SecretKey } from '@sealwire/crypto';
import type { SealwireServer, SealwireServerOptions } from '../../libs/transport/src/index.js';
import { newClient, portOf, startServer } from '../support/pair.js';
import { outcomeOf } from './targets/channel.js';

const SAMPLE_MS = 10;
const CALLS = 20;
const MIB = 1_048_576;
const BLOB = Buffer.alloc(MIB);

export type Command =
  | { readonly ask: 'serve'; readonly key: string; readonly options: Partial<SealwireServerOptions> }
  | { readonly ask: 'usage' }
  | { readonly ask: 'cpu' }
  | { readonly ask: 'call'; readonly key: string; readonly port: number };

export interface Usage {
  /** Resident memory now, and the most of it since `usage` was asked before. */
  readonly memoryMiB: number;
  readonly peakMemoryMiB: number;
  /** Its CPU time, since the start. */
  readonly cpuMs: number;
  /** The most CPU time that it took without a turn of the event loop since `usage` was asked before. */
  readonly longestTurnMs: number;
  readonly mostRunning: number;
  readonly connections: number;
  readonly strangers: number;
  readonly handled: number;
  /** The codes with which connections ended, since the start. */
  readonly ended: readonly string[];
}

export interface Served {
  /** From the start of connecting to the first answer. */
  readonly tookMs: number;
  /** What came in the place of an answer. */
  readonly missing: readonly string[];
}

let server: SealwireServer | undefined;
let peakBytes = 0;
let running = 0;
let mostRunning = 0;
let handled = 0;
const ended: string[] = [];
let longestTurnMs = 0;
let sampledMs = cpuMs();

const keyringOf = (key: string): Keyring => Keyring.of(SecretKey.fromBytes(Buffer.from(key, 'hex')));

async function serve({ key, options }: Extract<Command, { ask: 'serve' }>): Promise<number> {
  server = await startServer({ keyring: keyringOf(key), ...options });
  server.connectionEvents.subscribe((event) => {
    if ('error' in event && event.error !== undefined) ended.push(event.error.code);
  });
  server.addHandler('count', () => Promise.resolve((handled += 1)));
  server.addHandler('blob', () => Promise.resolve(BLOB));
  server.addHandler('hang', () => {
    mostRunning = Math.max(mostRunning, (running += 1));
    return new Promise(() => undefined); // like a handler that does not look at its signal
  });
  return portOf(server);
}

function usage(): Usage {
  const { connections = 0, strangers = 0 } = server?.snapshot() ?? {};
  const memoryMiB = process.memoryUsage.rss() / MIB;
  const now = {
    memoryMiB,
    peakMemoryMiB: Math.max(memoryMiB, peakBytes / MIB),
    cpuMs: cpuMs(),
    longestTurnMs,
    mostRunning,
    connections,
    strangers,
    handled,
    ended,
  };
  peakBytes = longestTurnMs = 0;
  return now;
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function sample(): void {
  const nowMs = cpuMs();
  longestTurnMs = Math.max(longestTurnMs, nowMs - sampledMs);
  sampledMs = nowMs;
  peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
}

async function call({ key, port }: Extract<Command, { ask: 'call' }>): Promise<Served> {
  const client = newClient(port, { keyring: keyringOf(key), timeouts: { connectMs: 30_000 } });
  const startMs = performance.now();
  const first = await outcomeOf(client, 'echo', 0);
  const tookMs = performance.now() - startMs;
  const answers = await Promise.all(Array.from({ length: CALLS }, (_, index) => outcomeOf(client, 'echo', index)));
  await client.close();
  return { tookMs, missing: [first, ...answers].filter((each) => typeof each !== 'number').map(String) };
}

function answer(command: Command): Promise<unknown> {
  switch (command.ask) {
    case 'serve':
      return serve(command);
    case 'usage':
      return Promise.resolve(usage());
    case 'cpu':
      return Promise.resolve(cpuMs());
    case 'call':
      return call(command);
  }
}

setInterval(sample, SAMPLE_MS);
process.on('disconnect', () => process.exit());
process.on('message', (command: Command) => void answer(command).then((result) => process.send?.(result)));
