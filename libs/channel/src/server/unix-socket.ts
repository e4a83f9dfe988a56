// The file of a Unix domain socket: a server that was killed leaves it behind, and then nobody can listen there.
import type { BigIntStats } from 'node:fs';
import { chmod, link, lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';

import { clock } from '../clock.js';

/** Only who could read the key file of this user may knock; connecting takes permission to write. */
const OWNER_ONLY = 0o600;

/** Who holds a claim needs milliseconds. */
const CLAIM_TIMEOUT_MS = 10_000;
const MAX_CLAIMS = 16;

/** Windows has pipes instead, whose names are no files. */
const hasFiles = process.platform !== 'win32';

export async function restrictToOwner(path: string): Promise<void> {
  if (hasFiles) await chmod(path, OWNER_ONLY);
}

/**
 * Removes the socket at `path` if nobody listens there. Never removes anything else.
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
 * Between a look at a name and its removal another server can take it. So only who holds the latest claim to a stale
 * socket removes it, and while he does, the name stays what he has seen. He asks by that name once more, as that of his
 * claim can be too long for an address; that both are one and the same socket, the looks before and after tell.
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
 * A claim is one more name of the socket. One that stays behind, as its server was killed over it, does not hinder the
 * next claim for ever: every claim sets the ctime of the socket, which tells how old the latest one is.
 *
 * @returns Every claim, the own one last; none where another server removes the socket, or has done so.
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

/** One from a future that a clock told which has been set since is old. */
function isYoung(stats: BigIntStats | undefined, claimTimeoutMs: number): boolean {
  return stats !== undefined && Math.abs(clock.unixMs() - Number(stats.ctimeMs)) < claimTimeoutMs;
}

function look(path: string): Promise<BigIntStats | undefined> {
  return lstat(path, { bigint: true }).catch(() => undefined);
}

/** A new file can be given the number of one that was just removed, but not its age. */
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
