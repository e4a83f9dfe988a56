import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { inspect } from 'node:util';

import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
import { clock } from '../clock.js';
import { generateKey, SecretKey, WatchedKeyFile } from '../index.js';
import type { KeysChange, KeyState, WatchedKeyFileOptions } from '../index.js';
import { followsPattern } from '../keys/pattern.js';
import { formatKeyringFile } from '../ring-file/ring-file.js';
import { DirectoryWatch } from './directory-watch.js';

vi.mock('../keys/pattern.js', { spy: true });

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealwire-'));
  path = join(directory, 'ring.json');
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('pollMs', () => {
  it.each([0, -1, 0.5, Number.NaN, Infinity, 2 ** 31])('is refused if it is %d', async (pollMs) => {
    write(newRing());
    await expect(WatchedKeyFile.open(path, { pollMs })).rejects.toMatchObject({ code: 'ERR_KEY_FILE_POLL' });
  });
});

interface Planned {
  readonly state?: KeyState;
  readonly label?: string;
  readonly notBefore?: number;
  readonly notAfter?: number;
}

/** A key of a ring, which every ring of a test describes in its own way. */
class PlannedKey {
  readonly bytes = generateKey();
  readonly id = SecretKey.fromBytes(this.bytes).id;

  as({ state = 'accept', label = 'a label', ...window }: Planned = {}) {
    return { bytes: this.bytes, key: SecretKey.fromBytes(this.bytes, 'The key', { label }), state, ...window };
  }
}

const ring = (...entries: readonly ReturnType<PlannedKey['as']>[]): Uint8Array => formatKeyringFile(entries);
const newRing = (): Uint8Array => ring(new PlannedKey().as({ state: 'primary' }), new PlannedKey().as());

function write(content: Uint8Array | string, to = path): void {
  writeFileSync(to, content, { mode: 0o600 });
}

function replace(content: Uint8Array | string): void {
  write(content, `${path}.new`);
  renameSync(`${path}.new`, path);
}

/** Opens the key file, and notes what it reports. */
async function start(options: WatchedKeyFileOptions = {}) {
  const logged: string[] = [];
  const warnings: string[] = [];
  const changes: KeysChange[] = [];
  const keys = await WatchedKeyFile.open(path, {
    log: (message) => logged.push(message),
    warn: (message) => warnings.push(message),
    ...options,
  });
  onTestFinished(() => keys.close());
  keys.onChange((change) => changes.push(change));
  return { keys, logged, warnings, changes };
}

const [one, two, three] = [new PlannedKey(), new PlannedKey(), new PlannedKey()];
const FIRST = ring(one.as({ state: 'primary' }));
const SECOND = ring(two.as({ state: 'primary' }), one.as());

describe('a watched key file', () => {
  it('has the keys of a keyring or of 32 raw bytes', async () => {
    write(SECOND);
    const { keys, logged, warnings } = await start();
    expect(keys.ids).toEqual([two.id, one.id]);
    expect(keys.primary.id).toBe(two.id);
    expect(keys.find(SecretKey.fromBytes(one.bytes).idBytes)?.label).toBe('a label');
    expect(keys.status).toMatchObject({ primary: two.id, labels: { [one.id]: 'a label' }, error: undefined });
    write(three.bytes);
    keys.reload();
    expect(keys.ids).toEqual([three.id]);
    expect(logged).toEqual([
      `Loaded keyring ${path}: 2 keys, primary ${two.id}`,
      `Loaded keyring ${path}: 1 key, primary ${three.id}`,
    ]);
    expect(warnings).toEqual([]);
  });

  it('says how many keys of the ring may be used, so that the line differs after a revoked key is removed', async () => {
    write(ring(two.as({ state: 'primary' }), one.as({ state: 'revoked' }), three.as({ notAfter: Date.now() - 1_000 })));
    const { keys, logged } = await start();
    write(ring(two.as({ state: 'primary' }), three.as(), one.as({ state: 'revoked' })));
    keys.reload();
    write(ring(two.as({ state: 'primary' }), three.as()));
    keys.reload();
    const counts = ['1 usable key of 3', '2 usable keys of 3', '2 keys'];
    expect(logged).toEqual(counts.map((count) => `Loaded keyring ${path}: ${count}, primary ${two.id}`));
  });

  it('rejects if the first load fails, and is created on request', async () => {
    await expect(start()).rejects.toMatchObject({ code: 'ERR_KEY_FILE_MISSING' });
    const { keys } = await start({ generate: true });
    expect(keys.ids).toHaveLength(1);
    write('{"keys":[]}'.padEnd(40));
    await expect(start()).rejects.toMatchObject({ code: 'ERR_KEYRING_FORMAT' });
  });

  it.each<[string, () => void]>([
    ['renamed over it, as an editor does', () => replace(SECOND)],
    ['written in place', () => write(SECOND)],
    ['removed and created again', () => { unlinkSync(path); write(SECOND); }], // prettier-ignore
  ])('takes effect without a poll when the file is %s', async (_how, change) => {
    write(FIRST);
    const { keys, changes } = await start();
    change();
    await expect.poll(() => keys.ids).toEqual([two.id, one.id]);
    expect(changes).toEqual([
      { added: [two.id], removed: [], revoked: [], updated: [], primaryChanged: true, primary: two.id },
    ]);
  });

  it.skipIf(process.platform === 'win32')(
    'takes effect when Kubernetes swaps the link of a mounted secret',
    async () => {
      for (const [version, content] of [
        ['..one', FIRST],
        ['..two', SECOND],
      ] as const) {
        // prettier-ignore
        mkdirSync(join(directory, version));
        write(content, join(directory, version, 'ring.json'));
      }
      symlinkSync('..one', join(directory, '..data'));
      symlinkSync(join('..data', 'ring.json'), path);
      const { keys } = await start({ policy: 'mounted-secret' });
      expect(keys.ids).toEqual([one.id]);
      symlinkSync('..two', join(directory, '..data_tmp'));
      renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
      await expect.poll(() => keys.ids).toEqual([two.id, one.id]);
    },
  );

  it('is read by polls alone if the system has no watch left, and is watched as soon as it has one', async () => {
    const others = Array.from({ length: 64 }, () => {
      const other = mkdtempSync(join(tmpdir(), 'sealwire-'));
      onTestFinished(() => rmSync(other, { recursive: true }));
      const watch = new DirectoryWatch(other, () => undefined);
      onTestFinished(() => watch.close());
      return watch;
    });
    const time = FakeClock.install();
    write(FIRST);
    const { keys } = await start();
    const probe = new DirectoryWatch(directory, () => undefined);
    expect(probe.isOpen).toBe(false);
    replace(SECOND);
    time.advance(29_999);
    expect(keys.ids).toEqual([one.id]);
    time.advance(1);
    expect(keys.ids).toEqual([two.id, one.id]);
    for (const other of others) other.close();
    time.advance(30_000); // the next poll watches the directory
    replace(FIRST);
    const idsLater = (): readonly string[] => {
      time.advance(100); // all steps together are shorter than the time to the next poll
      return keys.ids;
    };
    await expect.poll(idsLater).toEqual([one.id]);
  });

  it('is watched again after its directory was replaced', async () => {
    const folder = join(directory, 'keys');
    path = join(folder, 'ring.json');
    mkdirSync(folder);
    write(FIRST);
    const { keys, warnings } = await start({ pollMs: 1_000 });
    rmSync(folder, { recursive: true });
    await expect.poll(() => keys.status.error?.code).toBe('ERR_KEY_FILE_MISSING');
    mkdirSync(folder);
    write(SECOND);
    await expect.poll(() => keys.ids).toEqual([two.id, one.id]);
    replace(FIRST);
    await expect.poll(() => keys.ids).toEqual([one.id]);
    expect(warnings).toHaveLength(1);
  });

  it('keeps the keys in force when the new content is wrong, and reports each content once', async () => {
    const time = FakeClock.install();
    write(FIRST);
    const { keys, logged, warnings, changes } = await start();
    const reload = (): void => time.advance(30_000);
    write('{"keys": ['.padEnd(40));
    reload();
    const since = time.nowMs;
    reload();
    reload();
    expect(keys.status).toMatchObject({ ids: [one.id], error: { code: 'ERR_KEYRING_JSON', since } });
    expect(warnings).toEqual([
      'Cannot reload the keys, so the keys loaded at 1970-01-01T00:00:01.000Z stay in force: ' +
        `Key file ${path} is not valid JSON at line 1, byte 40 of the file: expected a value`,
    ]);
    write('{"keys": {'.padEnd(40));
    reload();
    expect(warnings).toHaveLength(2);
    unlinkSync(path);
    reload();
    reload();
    expect(warnings).toHaveLength(3);
    expect(keys.status.error?.code).toBe('ERR_KEY_FILE_MISSING');
    write(FIRST);
    reload();
    expect(keys.status.error).toBeUndefined();
    expect(logged.at(-1)).toBe(`Key file ${path} is valid again and contains the keys that are in force`);
    expect(changes).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')('checks the access again at each read', async () => {
    write(FIRST);
    const { keys, warnings } = await start();
    chmodSync(path, 0o666);
    keys.reload();
    keys.reload();
    expect(warnings).toEqual([expect.stringMatching(/^Cannot reload the keys, so .*: Key file .* has mode 0666/)]);
    expect(keys.ids).toEqual([one.id]);
    chmodSync(path, 0o600);
    keys.reload();
    expect(keys.status.error).toBeUndefined();
  });

  it('has a complete right ring after each of 100 reloads with wrong files in between', async () => {
    write(FIRST);
    const { keys, warnings } = await start();
    const parts = (content: Uint8Array, round: number): readonly (Uint8Array | string)[] => [
      content.subarray(0, 33 + ((round * 7) % (content.length - 40))),
      Buffer.from(content).toString().replace('"oct"', '"RSA"'),
      Buffer.from(content).toString().replace('"kid":"', '"kid":"0'),
      '',
    ];
    for (let round = 0; round < 100; round++) {
      const before = keys.keyring;
      const next = newRing();
      write(parts(next, round)[round % 4] ?? '');
      keys.reload();
      expect(keys.keyring).toBe(before);
      write(next);
      keys.reload();
      expect(keys.keyring).not.toBe(before);
      expect(keys.ids).toHaveLength(2);
      expect(keys.status.error).toBeUndefined();
    }
    expect(warnings).toHaveLength(100);
  });

  it('has at any moment a complete right ring while another program writes the file piece by piece', async () => {
    write(FIRST);
    const { keys } = await start({ pollMs: 5 });
    const rings = new Map<string | undefined, string>([[one.id, String([one.id])]]);
    for (let round = 0; round < 30; round++) {
      const [primary, other] = [new PlannedKey(), new PlannedKey()];
      rings.set(primary.id, String([primary.id, other.id]));
      const content = ring(primary.as({ state: 'primary' }), other.as());
      const file = await open(path, 'r+');
      await file.truncate();
      for (let at = 0; at < content.length; at += 50) {
        await file.write(content.subarray(at, at + 50), 0, undefined, at);
        await turn();
        expect(String(keys.ids)).toBe(rings.get(keys.status.primary));
      }
      await file.close();
      if (round % 10 === 9) await expect.poll(() => keys.status.primary).toBe(primary.id);
    }
  });

  it('reports the begin and the end of time windows, exactly then', async () => {
    const time = FakeClock.install();
    const [beginMs, endMs] = [time.nowMs + 10_000, time.nowMs + 20_000];
    write(ring(one.as({ state: 'primary', notAfter: endMs }), two.as({ notBefore: beginMs })));
    const { keys, changes } = await start();
    const NONE = { added: [], removed: [], revoked: [], updated: [], primaryChanged: false, primary: one.id };
    time.advance(9_999);
    expect(changes).toEqual([]);
    time.advance(1);
    expect(changes.splice(0)).toEqual([{ ...NONE, added: [two.id] }]);
    time.advance(9_999);
    expect(keys.primary.id).toBe(one.id);
    time.advance(1);
    expect(changes).toEqual([{ ...NONE, removed: [one.id], primaryChanged: true, primary: undefined }]);
    expect(() => keys.primary).toThrow(expect.objectContaining({ code: 'ERR_KEYRING_NO_PRIMARY' }));
  });

  it('follows a wall clock that is set: handshakes immediately, listeners with the next poll', async () => {
    const time = FakeClock.install();
    const endMs = time.nowMs + 3_600_000;
    write(ring(one.as({ state: 'primary', notAfter: endMs }), two.as()));
    const { keys, changes } = await start();
    const { idBytes } = SecretKey.fromBytes(one.bytes);
    const { unixMs } = clock;
    clock.unixMs = () => unixMs() + 3_600_000;
    expect(keys.find(idBytes)).toBeUndefined();
    time.advance(30_000);
    expect(changes.splice(0)).toMatchObject([{ removed: [one.id], primary: undefined }]);
    clock.unixMs = unixMs;
    expect(keys.find(idBytes)?.id).toBe(one.id);
    time.advance(30_000);
    expect(changes.splice(0)).toMatchObject([{ added: [one.id], primary: one.id }]);
    time.advance(endMs - time.nowMs);
    expect(changes).toMatchObject([{ removed: [one.id] }]);
  });

  it('notices with the next poll that a link above its directory was swapped', async () => {
    const time = FakeClock.install();
    for (const [version, content] of [
      ['one', FIRST],
      ['two', SECOND],
    ] as const) {
      mkdirSync(join(directory, version));
      write(content, join(directory, version, 'ring.json'));
    }
    const current = join(directory, 'current');
    symlinkSync('one', current);
    path = join(current, 'ring.json');
    const { keys } = await start();
    unlinkSync(current);
    symlinkSync('two', current);
    time.advance(30_000);
    expect(keys.ids).toEqual([two.id, one.id]);
  });

  it('does not check the strength of known keys again', async () => {
    write(FIRST);
    const { keys } = await start();
    const check = vi.mocked(followsPattern).mockClear();
    write(SECOND);
    keys.reload();
    expect(check).toHaveBeenCalledTimes(1);
  });

  it('warns once if no key may be used, at the start, after a reload and when the window of the last key ends', async () => {
    const time = FakeClock.install();
    const expected = expect.stringMatching(/^No key of the key file .* may be used now, .*: install a key, or/);
    write(ring(one.as({ state: 'revoked' }), two.as({ state: 'primary', notBefore: time.nowMs + 10_000 })));
    const { keys, logged, warnings } = await start();
    keys.reload();
    expect([logged, warnings.splice(0)]).toEqual([[], [expected]]);
    time.advance(10_000);
    write(ring(one.as({ state: 'retired' })));
    keys.reload();
    keys.reload();
    expect([logged, warnings.splice(0)]).toEqual([[], [expected]]);
    write(ring(one.as({ state: 'primary', notAfter: time.nowMs + 1_000 })));
    keys.reload();
    expect(warnings).toEqual([]);
    time.advance(1_000);
    keys.reload();
    expect([logged, warnings]).toEqual([[`Loaded keyring ${path}: 1 key, primary ${one.id}`], [expected]]);
  });

  it('waits for a boundary that is further away than a timer can be', async () => {
    const time = FakeClock.install();
    const years = 2 ** 31 + 5_000;
    write(ring(one.as({ notAfter: time.nowMs + years })));
    const { changes } = await start({ pollMs: 2 ** 31 - 1 });
    time.advance(years - 1);
    expect(changes).toEqual([]);
    time.advance(1);
    expect(changes).toMatchObject([{ removed: [one.id] }]);
  });

  it('reports revoked keys and new labels, with the new keys in force already', async () => {
    write(ring(one.as({ state: 'primary' }), two.as()));
    const { keys } = await start();
    const seen: unknown[] = [];
    keys.onChange(({ removed, revoked, updated }) => seen.push([removed, revoked, updated, keys.ids]));
    write(ring(one.as({ state: 'primary', label: 'another' }), two.as({ state: 'revoked' })));
    keys.reload();
    expect(seen).toEqual([[[two.id], [two.id], [one.id], [one.id]]]);
  });

  it('calls a listener until it is unsubscribed, and the others if one throws', async () => {
    write(FIRST);
    const { keys, changes } = await start();
    const warnings: string[] = [];
    const onWarning = ({ message }: Error): void => void warnings.push(message);
    process.on('warning', onWarning);
    onTestFinished(() => void process.off('warning', onWarning));
    const stop = keys.onChange(() => {
      throw new Error('the listener is broken');
    });
    const seen: unknown[] = [];
    keys.onChange(() => seen.push(keys.ids));
    write(SECOND);
    keys.reload();
    stop();
    write(FIRST);
    keys.reload();
    expect(seen).toEqual([[two.id, one.id], [one.id]]);
    expect(changes).toHaveLength(2);
    await expect.poll(() => warnings).toEqual(['A listener of key changes failed']);
  });

  it('is reloaded although its log and warn throw, which warnings of the process report', async () => {
    const broken = (): never => {
      throw new Proxy({}, { get: () => broken() });
    };
    const warnings: string[] = [];
    const note = ({ message }: Error): void => void warnings.push(message);
    process.on('warning', note);
    onTestFinished(() => void process.off('warning', note));
    write(FIRST);
    const keys = await WatchedKeyFile.open(path, { log: broken, warn: broken });
    onTestFinished(() => keys.close());
    write(SECOND);
    keys.reload();
    expect(keys.ids).toEqual([two.id, one.id]);
    writeFileSync(path, '{');
    keys.reload();
    expect([keys.ids, keys.status.error?.code]).toEqual([[two.id, one.id], 'ERR_KEY_FILE_LENGTH']);
    await expect
      .poll(() => warnings)
      .toEqual(['The callback log() failed', 'The callback log() failed', 'The callback warn() failed']);
  });

  it('may be reloaded and closed by a listener', async () => {
    write(FIRST);
    const { keys } = await start();
    const seen: unknown[] = [];
    keys.onChange(({ primary }) => {
      seen.push(primary);
      if (primary === two.id) {
        write(FIRST);
        keys.reload();
      } else keys.close();
    });
    write(SECOND);
    keys.reload();
    expect(seen).toEqual([two.id, one.id]);
  });

  it('ends its timers and its watch when it is closed, and keeps its keys', async () => {
    const time = FakeClock.install();
    write(ring(one.as({ state: 'primary', notAfter: time.nowMs + 1e6 })));
    const { keys, changes, warnings } = await start();
    expect(time.timerCount).toBe(2);
    keys.close();
    keys.close();
    expect(time.timerCount).toBe(0);
    write(SECOND);
    keys.reload();
    time.advance(2e6);
    expect([changes, warnings]).toEqual([[], []]);
    expect(keys.keyring.keys).toHaveLength(1);
  });

  it('is printed with public ids only', async () => {
    write(SECOND);
    const { keys } = await start();
    const shown = `WatchedKeyFile(${two.id}, ${one.id})`;
    expect([String(keys), inspect(keys), JSON.parse(JSON.stringify(keys))]).toEqual([shown, shown, shown]);
  });
});

describe('a watched directory', () => {
  const handles = (): number => process.getActiveResourcesInfo().filter((name) => name === 'FSEventWrap').length;

  it('has one handle for all its watchers, which reports to each until it is closed', async () => {
    const atFirst = handles();
    const seen: number[] = [0, 0];
    const watches = seen.map((_count, at) => new DirectoryWatch(directory, () => (seen[at] = (seen[at] ?? 0) + 1)));
    expect(watches.map(({ isOpen }) => isOpen)).toEqual([true, true]);
    expect(handles() - atFirst).toBeLessThanOrEqual(1);
    write('x');
    await expect.poll(() => seen.every((count) => count > 0)).toBe(true);
    watches[0]?.close();
    const [closed] = seen;
    const [, before = 0] = seen;
    truncateSync(path);
    await expect.poll(() => seen[1]).toBeGreaterThan(before);
    expect(seen[0]).toBe(closed);
    watches[1]?.close();
    expect(handles()).toBe(atFirst);
  });
});
