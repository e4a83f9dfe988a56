import { clock } from './clock.js';

/** Resolves when `work` resolves or `timeoutMs` has passed. */
export async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<void>((resolve) => {
    timer = clock.setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, expired]);
  clock.clearTimeout(timer);
}
