// The file of a Unix domain socket: a server that was killed leaves it behind, and then nobody can listen there.
import type { BigIntStats } from 'node:fs';
import { chmod, link, lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';

/** Only who could read the key file of this user may knock; connecting takes permission to write. */
const OWNER_ONLY = 0o600;

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
export async function removeStaleSocket(path: string): Promise<boolean> {
  if (!hasFiles) return false;
  const found = await look(path);
  if (found?.isSocket() !== true || !(await isRefused(path))) return false;
  return removeClaimed(path, found);
}

/**
 * Between a look at a name and its removal another server can take it. So only who holds the one claim to a stale socket
 * removes it, and while he does, the name stays what he has seen.
 */
async function removeClaimed(path: string, found: BigIntStats): Promise<boolean> {
  const claim = `${path}.stale-${found.ino}-${found.mtimeNs}`;
  try {
    await link(path, claim);
  } catch {
    return false; // another server removes it, or has done so
  }
  const isStale = isSame(found, await look(claim)) && (await isRefused(claim));
  if (isStale) await unlink(path);
  await unlink(claim);
  return isStale;
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
