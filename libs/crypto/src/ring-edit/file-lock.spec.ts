import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { FileLock } from './file-lock.js';

const PATIENT_MS = 60_000;
let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealwire-lock-'));
  path = join(directory, '.ring.lock');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Returns the text of a lock of this process. */
async function textOfLock(): Promise<string> {
  const lock = await FileLock.acquire(path, 'the ring', PATIENT_MS);
  const text = readFileSync(path, 'utf8');
  lock.release();
  return text;
}

/** Returns the id of a process that has ended. */
const endedPid = (): number => spawnSync(process.execPath, ['--version']).pid;

const withPid = (text: string, pid: number): string => text.replace(/^\d+/, String(pid));

describe('FileLock', () => {
  it('is held by one at a time, and leaves nothing behind', async () => {
    let holders = 0;
    const hold = async (): Promise<number> => {
      const lock = await FileLock.acquire(path, 'the ring', PATIENT_MS);
      const now = ++holders;
      await new Promise((resolve) => void setImmediate(resolve));
      holders -= 1;
      lock.release();
      return now;
    };
    expect(await Promise.all(Array.from({ length: 10 }, hold))).toEqual(Array.from({ length: 10 }, () => 1));
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is given up after the wait, with the process that has it and the remedy', async () => {
    const held = await FileLock.acquire(path, 'the ring', PATIENT_MS);
    const error = await FileLock.acquire(path, 'the ring', 1).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ERR_KEY_FILE_LOCKED' });
    expect(String(error)).toContain(`process ${process.pid} on ${hostname()}`);
    expect(String(error)).toContain(`delete ${path}`);
    held.release();
  });

  it('is broken if its process has ended', async () => {
    writeFileSync(path, withPid(await textOfLock(), endedPid()));
    const lock = await FileLock.acquire(path, 'the ring', PATIENT_MS);
    expect(readFileSync(path, 'utf8')).toMatch(new RegExp(`^${process.pid}\n`));
    lock.release();
    expect(readdirSync(directory)).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('is broken if another process has got the id of its process', async () => {
    const [pid, , ...rest] = (await textOfLock()).split('\n');
    writeFileSync(path, [pid, '1', ...rest].join('\n'));
    (await FileLock.acquire(path, 'the ring', PATIENT_MS)).release();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is broken by one process even if the one that was breaking it has ended', async () => {
    const stale = withPid(await textOfLock(), endedPid());
    writeFileSync(path, stale);
    writeFileSync(`${path}.break`, stale);
    (await FileLock.acquire(path, 'the ring', PATIENT_MS)).release();
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each([
    ['of another host', (text: string) => withPid(text, endedPid()).replace(hostname(), 'elsewhere')],
    ['of another container of the same host', (text: string) => withPid(text, endedPid()).replace('pid:[', 'pid:[9')],
    ['without content', () => ''],
    ['with other content', () => 'mine\n'],
  ])('is never broken if it is one %s', async (_, change) => {
    const text = change(await textOfLock());
    writeFileSync(path, text);
    await expect(FileLock.acquire(path, 'the ring', 1)).rejects.toMatchObject({ code: 'ERR_KEY_FILE_LOCKED' });
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(readdirSync(directory)).toEqual(['.ring.lock']);
  });

  it.each([
    ['a link to nothing', () => symlinkSync('/nonexistent/target', path)],
    ['a FIFO', () => spawnSync('mkfifo', [path])],
    ['a directory', () => mkdirSync(path)],
    ['a file of 2 KiB', () => writeFileSync(path, 'x'.repeat(2_048))],
  ])('is refused immediately if it is %s, with the name of the lock', async (_, make) => {
    make();
    const error = await FileLock.acquire(path, 'the ring', PATIENT_MS).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ERR_KEY_FILE_LOCKED' });
    expect(String(error)).toMatch(/Cannot read the lock .*\.ring\.lock .*delete the lock/);
    expect(readdirSync(directory)).toEqual(['.ring.lock']);
  });

  it('does not release the lock of another process that has deleted it', async () => {
    const lock = await FileLock.acquire(path, 'the ring', PATIENT_MS);
    writeFileSync(path, 'another lock');
    lock.release();
    expect(readFileSync(path, 'utf8')).toBe('another lock');
  });

  it('reports that its directory is missing', async () => {
    const missing = join(directory, 'missing', '.lock');
    await expect(FileLock.acquire(missing, 'the ring', 1)).rejects.toMatchObject({ code: 'ERR_KEY_FILE_WRITE' });
  });
});
