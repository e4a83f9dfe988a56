// `npm run bench` with processes of its own. What it measures is shown in test/bench/bench.spec.ts.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readResult } from '../../bench/result-file.js';
import { type Ended, ROOT, ScriptRun } from './script-run.js';

const TIMEOUT_MS = 300_000; // it builds where something was changed
const SHORT = ['--rounds', '1', '--run-ms', '10'];

function bench(...args: readonly string[]): Promise<Ended> {
  return new ScriptRun([join(ROOT, 'scripts/run.mjs'), 'bench', ...args]).end();
}

describe('npm run bench', { timeout: TIMEOUT_MS }, () => {
  it('measures both ends of a peer in separate processes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sealwire-bench-test-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const jsonFile = join(folder, 'applications.json');
    const { stdout, stderr, status } = await bench('--quick', '--only', 'applications', ...SHORT, '--json', jsonFile);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^sealwire-app 64x256B requests_per_s: \d/mu);
    const { groups } = await readResult(jsonFile);
    expect(groups.flatMap(({ peers }) => peers.map(({ peer }) => peer))).toEqual([
      'nest-tcp-app',
      'nest-tls-app',
      'sealwire-app',
    ]);
  });

  it('measures a client with several server processes, and with the workers of a cluster', async () => {
    const { stdout, stderr, status } = await bench('--only', 'scale', ...SHORT);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const peer of [
      'sealwire',
      'sealwire-cluster-2',
      'sealwire-cluster-4',
      'sealwire-2-servers',
      'sealwire-4-servers',
    ])
      for (const workload of ['64x256B', 'hash-64'])
        expect(stdout).toMatch(new RegExp(`^${peer} ${workload} requests_per_s: \\d`, 'mu'));
    expect(stdout).not.toMatch(/ failed: /u);
  });

  it('lists the groups', async () => {
    const { stderr, status } = await bench('--only', 'everything');
    expect({ stderr, status }).toEqual({
      stderr: expect.stringMatching(/^--only takes in-flight, size, .*; not everything\n$/u),
      status: 1,
    });
  });
});
