// No number in here is looked at, only that there is one: a test that measures time fails on a busy machine.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Progress } from '#scripts/progress.mjs';
import { runBench } from './bench.js';
import { measureClient, measureCpu, measureUsage, type BothEnds, type Measure, type Usage } from './measure.js';
import { readOptions } from './options.js';
import type { Peer, Secrets, Setting } from './peer.js';
import { readResult } from './result-file.js';
import type { RunningPair } from './rounds.js';
import { makeSecrets } from './secrets.js';
import { runWorkload } from './work/index.js';

const SHORT = ['--rounds', '1', '--run-ms', '10', '--warm-up-connections', '3'];
const HEADLINES = [
  'sealwire/nest-tcp 1x256B p50_ratio',
  'sealwire/nest-tls 1x256B p50_ratio',
  'sealwire/nest-tcp 64x256B throughput_ratio',
  'sealwire/nest-tls 64x256B throughput_ratio',
  'sealwire/nest-psk 64x256B throughput_ratio',
  'sealwire/nest-tcp 64x256B cpu_ratio',
  'sealwire/nest-tcp 4x1MiB throughput_ratio',
  'sealwire-app/nest-tcp-app 64x256B throughput_ratio',
];

Logger.overrideLogger(false);

let folder: string;
let secrets: Secrets;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealwire-bench-test-'));
  secrets = await makeSecrets(folder);
});

afterEach(() => vi.restoreAllMocks());

afterAll(() => rm(folder, { recursive: true }));

function usage(): BothEnds<Usage> {
  return { server: measureUsage(), client: measureUsage() };
}

/** Both ends in this process, as starting two processes for each peer takes most of the time of a short bench. */
const connectionsRun: (number | undefined)[] = [];

async function startPairHere(peer: Peer, setting: Setting): Promise<RunningPair> {
  const server = await peer.serve(setting);
  const connect = () => peer.connect(setting, server.port);
  const client = await connect();
  return {
    async run(workload, durationMs): Promise<Measure> {
      if (workload.kind === 'connect') connectionsRun.push(workload.connections);
      const before = usage();
      const outcome = await runWorkload({ client, connect }, workload, durationMs);
      const { units, figures } = measureClient(workload, outcome);
      return { ...figures, ...measureCpu(workload, units, before, usage()) };
    },
    peakMemoryMiB: () => Promise.resolve({ server: 1, client: 1 }),
    async end() {
      await client.close();
      await server.close();
    },
  };
}

interface Ran {
  readonly isComplete: boolean;
  readonly printed: string;
  /** What a terminal was given. */
  readonly shown: readonly string[];
}

async function bench(...args: readonly string[]): Promise<Ran> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const shown: string[] = [];
  const terminal = { isTTY: true, write: (text: string | Uint8Array) => shown.push(String(text)) > 0 };
  const progress = new Progress(terminal, 0);
  const isComplete = await runBench(readOptions([...SHORT, ...args]), { secrets, startPair: startPairHere, progress });
  return { isComplete, printed: log.mock.calls.map(([line]) => String(line)).join('\n'), shown };
}

describe('a bench', () => {
  it('prints the headline ratios first, and writes every measure to a file', async () => {
    const jsonFile = join(folder, 'quick.json');
    const { isComplete, printed, shown } = await bench('--quick', '--json', jsonFile);
    expect(isComplete, printed).toBe(true);
    const [summary, ...details] = printed.split('\n\n');
    const lines = [...HEADLINES.map((headline) => `${headline}: \\d+\\.\\d\\d \\(.*\\)`), "note: Nest's own client .*"];
    expect(summary).toMatch(new RegExp(`^${lines.join('\n')}$`, 'u'));
    expect(details.join('\n')).toMatch(/^node: \d.*^nest-psk 64x256B requests_per_s: \d/msu);
    expect(shown).toContain('\r\u001B[Kstrategies, round 1 of 1: nest-psk 64x256B');
    expect(shown.at(-1)).toBe('\r\u001B[K');
    const { groups } = await readResult(jsonFile);
    const [requests] = groups.flatMap(({ peers }) => peers.at(-1)?.measures.get('64x256B') ?? []);
    expect(requests).toMatchObject({
      requests_per_s: expect.any(Number),
      server_cpu_us_per_request: expect.any(Number),
    });
  });

  it('counts connections, events and streamed values of every peer that has them', async () => {
    const { isComplete, printed } = await bench('--only', 'connect', '--only', 'events', '--only', 'streams');
    expect(printed).not.toMatch(/ failed: /u);
    for (const peer of ['net', 'tls-psk', 'nest-tcp', 'nest-tls', 'nest-psk', 'sealwire']) {
      expect(printed).toMatch(new RegExp(`^${peer} connect connections_per_s: \\d`, 'mu'));
    }
    expect(printed).toMatch(/^moleculer events-64x256B events_per_s: \d/mu);
    expect(printed).toMatch(/^sealwire stream-10000 values_per_s: \d/mu);
    expect(isComplete).toBe(true);
  });

  it('warms up with as many connections as configured, and measures others', async () => {
    const { printed } = await bench('--only', 'connect', '--warm-up-connections', '7');
    expect(connectionsRun).toContain(7);
    expect(printed).toMatch(/^sealwire connect connections_per_s: \d/mu);
  });
});
