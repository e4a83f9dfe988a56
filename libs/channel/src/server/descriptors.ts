// Detects that the process can no longer open files and sockets. libuv then accepts and closes incoming connections,
// and Node reports nothing, so this opens a file as a test.
import { close, open } from 'node:fs';
import { devNull } from 'node:os';

import { clock } from '../clock.js';

const INTERVAL_MS = 1_000;
const EXHAUSTED: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE']);

/**
 * Checks once a second until it is stopped. Does not keep the process alive.
 *
 * @param onExhausted - Called with the error on each check that finds no free descriptor.
 * @returns A function that stops the checks.
 */
export function watchDescriptors(onExhausted: (error: Error) => void): () => void {
  let isStopped = false;
  const look = (): void => {
    open(devNull, (error, descriptor) => {
      if (error === null) close(descriptor, () => undefined);
      if (isStopped) return;
      if (error !== null && EXHAUSTED.has(error.code)) onExhausted(error);
      timer = clock.setTimeout(look, INTERVAL_MS).unref();
    });
  };
  let timer = clock.setTimeout(look, INTERVAL_MS).unref();
  return () => {
    isStopped = true;
    clock.clearTimeout(timer);
  };
}
