// Whether the process can still open files and sockets. When it cannot, the system's library accepts and closes what comes,
// and Node says nothing of it: so this tries by itself.
import { close, open } from 'node:fs';
import { devNull } from 'node:os';

import { clock } from '../clock.js';

const INTERVAL_MS = 1_000;
const EXHAUSTED: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE']);

/**
 * Looks once a second, until it is stopped. It keeps no process alive.
 *
 * @param exhausted - Called with the error each time that none is left.
 * @returns What stops it.
 */
export function watchDescriptors(exhausted: (error: Error) => void): () => void {
  let isStopped = false;
  const look = (): void => {
    open(devNull, (error, descriptor) => {
      if (error === null) close(descriptor, () => undefined);
      if (isStopped) return;
      if (error !== null && EXHAUSTED.has(error.code)) exhausted(error);
      timer = clock.setTimeout(look, INTERVAL_MS).unref();
    });
  };
  let timer = clock.setTimeout(look, INTERVAL_MS).unref();
  return () => {
    isStopped = true;
    clock.clearTimeout(timer);
  };
}
