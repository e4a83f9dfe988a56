// The file of a Unix domain socket. A killed server leaves it behind, and no server can listen there until it is
// removed.
import type { BigIntStats } from 'node:fs';
import { chmod, link, lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';

import { clock } from '../clock.js';

/** Only this user may connect, which needs write permission. */
const OWNER_ONLY = 0o600;

/** A claim is normally held for milliseconds. */
const CLAIM_TIMEOUT_MS = 10_000;
const MAX_CLAIMS = 16;

/** Windows has named pipes, which are not files. */
const hasFiles = process.platform !== 'win32';

export async function restrictToOwner(path: string): Promise<void> {
  if (hasFiles) await chmod(path, OWNER_ONLY);
}

/**
 * Removes the socket at `path` if no server listens there. Never removes anything else.
 *
 * @returns Whether it was removed.
 */
export async function removeStaleSocket(path: string, { claimTimeoutMs = CLAIM_TIMEOUT_MS } = {}): Promise<boolean> {
  if (!hasFiles) return false;
  const found = await look(path);
  if (found?.isSocket() !== true || !(await isRefused(path))) return false;
  return removeClaimed(path, found, claimTimeoutMs);
}

/**
 * Removes a stale socket if this server has the latest claim to it. No other server changes the name meanwhile; without
 * claims, another server could take over the name between the check and the removal. The claim has a name that may be
 * too long for an address, so the connection attempt uses `path`; the checks before and after it prove that both are
 * the same socket.
 */
async function removeClaimed(path: string, found: BigIntStats, claimTimeoutMs: number): Promise<boolean> {
  const claims = await claim(path, found, claimTimeoutMs);
  const latest = claims.at(-1);
  if (latest === undefined) return false;
  const isStale = isSame(found, await look(latest)) && (await isRefused(path)) && isSame(found, await look(path));
  if (isStale) await unlink(path);
  for (const name of claims) await unlink(name).catch(() => undefined);
  return isStale;
}

/**
 * Claims a stale socket. A claim is a further hard link to the socket. A claim of a killed server does not block the
 * next one forever, because each claim sets the ctime of the socket, which is the age of the latest claim.
 *
 * @returns All claims, the own one last; empty if another server is removing the socket or has removed it.
 */
async function claim(path: string, found: BigIntStats, claimTimeoutMs: number): Promise<string[]> {
  const claims: string[] = [];
  while (claims.length < MAX_CLAIMS) {
    const name = `${path}.stale-${found.ino}-${found.mtimeNs}-${claims.length}`;
    claims.push(name);
    try {
      await link(path, name);
      return claims;
    } catch {
      const now = await look(path);
      if (!isSame(found, now) || isYoung(now, claimTimeoutMs)) return [];
    }
  }
  return [];
}

/** Returns whether a claim is young. A ctime in the far future (the clock was set back) counts as old. */
function isYoung(stats: BigIntStats | undefined, claimTimeoutMs: number): boolean {
  return stats !== undefined && Math.abs(clock.unixMs() - Number(stats.ctimeMs)) < claimTimeoutMs;
}

function look(path: string): Promise<BigIntStats | undefined> {
  return lstat(path, { bigint: true }).catch(() => undefined);
}

/** Compares the modification time too, because a new file can reuse the inode number of a removed one. */
function isSame(one: BigIntStats, other: BigIntStats | undefined): boolean {
  return one.dev === other?.dev && one.ino === other.ino && one.mtimeNs === other.mtimeNs;
}

function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const answer = (refused: boolean): void => {
      socket.destroy();
      resolve(refused);
    };
    socket.once('connect', () => answer(false));
    socket.once('error', (error: NodeJS.ErrnoException) => answer(error.code === 'ECONNREFUSED'));
  });
}
