// No number in here is looked at, only that there is one: a test that measures time fails on a busy machine.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readResult } from '../../bench/result-file.js';
import { type Ended, ROOT, ScriptRun } from './script-run.js';

const TIMEOUT_MS = 120_000;
const SHORT = ['--rounds', '1', '--run-ms', '10'];
const HEADLINES = [
  'sealwire/nest-tcp 1x256B p50_ratio',
  'sealwire/nest-tls 1x256B p50_ratio',
  'sealwire/nest-tcp 64x256B throughput_ratio',
  'sealwire/nest-tls 64x256B throughput_ratio',
  'sealwire/nest-tcp 64x256B cpu_ratio',
  'sealwire/nest-tcp 4x1MiB throughput_ratio',
  'sealwire-app/nest-tcp-app 64x256B throughput_ratio',
  'sealwire-app/nest-tls-app 64x256B throughput_ratio',
];

function bench(...args: readonly string[]): Promise<Ended> {
  return new ScriptRun([join(ROOT, 'scripts/bench.mjs'), ...args]).end();
}

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sealwire-bench-test-'))));
afterAll(() => rm(folder, { recursive: true }));

describe('npm run bench', { timeout: TIMEOUT_MS }, () => {
  it('prints the headline ratios, and writes every measure to a file', async () => {
    const jsonFile = join(folder, 'quick.json');
    const { stdout, stderr, status } = await bench('--quick', ...SHORT, '--json', jsonFile);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const headline of HEADLINES) expect(stdout).toMatch(new RegExp(`^${headline}: \\d+\\.\\d\\d \\(`, 'mu'));
    const { groups } = await readResult(jsonFile);
    const [requests] = groups.flatMap(({ peers }) => peers.at(-1)?.measures.get('64x256B') ?? []);
    expect(requests).toMatchObject({
      requests_per_s: expect.any(Number),
      server_cpu_us_per_request: expect.any(Number),
    });
  });

  it('counts connections, events and streamed values of every peer that has them', async () => {
    const { stdout, status } = await bench(...SHORT, '--only', 'connect', '--only', 'events', '--only', 'streams');
    expect(stdout).not.toMatch(/ failed: /u);
    for (const peer of ['net', 'tls-psk', 'nest-tcp', 'nest-tls', 'sealwire']) {
      expect(stdout).toMatch(new RegExp(`^${peer} connect connections_per_s: \\d`, 'mu'));
    }
    expect(stdout).toMatch(/^moleculer events-64x256B events_per_s: \d/mu);
    expect(stdout).toMatch(/^sealwire stream-10000 values_per_s: \d/mu);
    expect(status).toBe(0);
  });

  it('says which groups there are', async () => {
    const { stderr, status } = await bench('--only', 'everything');
    expect({ stderr, status }).toEqual({
      stderr: expect.stringMatching(/^--only takes in-flight, size, .*; not everything\n$/u),
      status: 1,
    });
  });
});
