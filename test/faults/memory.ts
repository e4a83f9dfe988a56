import { setTimeout as delay } from 'node:timers/promises';

const SETTLE_MS = 20;

/** The memory in use after a garbage collection. That of an OpenSSL handle is freed only after a turn of the event loop. */
export async function memoryBytes(): Promise<number> {
  globalThis.gc?.();
  await delay(SETTLE_MS);
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
