// `sealwire keyring` in several concurrent processes, and killed in the middle of its work.
import { spawnSync } from 'node:child_process';
import { chownSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { describe, expect, it } from 'vitest';

import { entry, newDirectory, statesOf, writeRing } from './key-files.js';
import { sealwire, sealwireHere } from './sealwire.js';

const NOBODY = 65_534;
const KILL = pathToFileURL(join(import.meta.dirname, 'kill.mjs')).href;

function times<T>(count: number, make: (index: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

describe('sealwire keyring in several concurrent processes', () => {
  it.each([2, 20])('loses no key if %i install one each', async (count) => {
    const ring = writeRing([entry({ state: 'primary' })]);
    const runs = await Promise.all(times(count, () => sealwire(['keyring', 'install', ring, '--json'])));
    expect(runs.map(({ status, stderr }) => ({ status, stderr }))).toEqual(
      times(count, () => ({ status: 0, stderr: '' })),
    );
    const kids = runs.map(({ stdout }) => JSON.parse(stdout).key.kid);
    expect(new Set(Object.keys(statesOf(ring)).slice(1))).toEqual(new Set(kids));
    expect(readdirSync(dirname(ring))).toEqual(['ring.json']);
  });

  it('loses no change if ten find the lock of a process that was killed', async () => {
    const ring = writeRing([entry({ state: 'primary' }), ...times(5, (index) => entry({ label: `old ${index}` }))]);
    const { pid } = spawnSync(process.execPath, ['--version']);
    const place = process.platform === 'linux' ? ` ${readlinkSync('/proc/self/ns/pid')}` : '';
    writeFileSync(join(dirname(ring), '.ring.json.lock'), `${pid}\n\n${hostname()}${place}\nx\n`);
    const installs = times(5, () => sealwire(['keyring', 'install', ring, '--label', 'new', '--json']));
    const removals = times(5, (index) => sealwire(['keyring', 'remove', ring, `old ${index}`, '--yes']));
    const runs = await Promise.all([...installs, ...removals]);
    expect(runs.map(({ status }) => status)).toEqual(times(10, () => 0));
    const kids = runs.slice(0, 5).map(({ stdout: line }) => JSON.parse(line).key.kid);
    expect(new Set(Object.keys(statesOf(ring)).slice(1))).toEqual(new Set(kids));
    expect(readdirSync(dirname(ring))).toEqual(['ring.json']);
  });
});

const canChangeUser = process.platform === 'linux' && process.geteuid?.() === 0;

describe('the lock of a process whose id a process of another user has got', () => {
  it.runIf(canChangeUser)('is broken', async () => {
    const directory = newDirectory();
    const ring = writeRing([entry({ state: 'primary' })], directory);
    const lock = join(directory, '.ring.json.lock');
    writeFileSync(lock, `${process.pid}\n5\n${hostname()} ${readlinkSync('/proc/self/ns/pid')}\nx\n`);
    for (const path of [directory, ring, lock]) chownSync(path, NOBODY, NOBODY);
    expect(await sealwire(['keyring', 'install', ring], { uid: NOBODY })).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(directory)).toEqual(['ring.json']);
  });
});

describe('sealwire keyring that is killed', () => {
  it('leaves the old ring or the new one at every step, and the next command works', async () => {
    const seen = new Set<string>();
    let steps = 0;
    for (let step = 1, isDone = false; !isDone; step++) {
      const ring = writeRing([entry({ state: 'primary' })]);
      const before = readFileSync(ring, 'utf8');
      const env = { KILL_AT: String(step) };
      const { status } = await sealwire(['keyring', 'install', ring], { env, nodeArgs: ['--import', KILL] });
      isDone = status !== null;
      const count = Object.keys(statesOf(ring)).length; // throws if it is not a whole ring
      seen.add(readFileSync(ring, 'utf8') === before ? 'old' : 'new');
      expect(await sealwireHere(['keyring', 'install', ring])).toMatchObject({ status: 0, stderr: '' });
      expect(Object.keys(statesOf(ring))).toHaveLength(count + 1);
      // A lock that had no name yet may be left. It contains no key.
      const left = readdirSync(dirname(ring)).filter((name) => !/^\.sealwire-[\w-]+\.lock$/.test(name));
      expect(left).toEqual(['ring.json']);
      steps = step;
    }
    expect(seen).toEqual(new Set(['old', 'new']));
    expect(steps).toBeGreaterThan(10);
  });
});
