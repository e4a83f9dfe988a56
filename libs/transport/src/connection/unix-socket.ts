// The file of a Unix domain socket: a server that was killed leaves it behind, and then nobody can listen there.
import { chmod, lstat, unlink } from 'node:fs/promises';
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
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() !== true || !(await isRefused(path))) return false;
  const now = await lstat(path).catch(() => undefined);
  if (now?.ino !== found.ino) return false; // another server has taken the place meanwhile
  await unlink(path);
  return true;
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
