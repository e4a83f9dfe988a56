import { clock } from '@sealwire/channel/internal';

/** Resolves when `work` resolves or `timeoutMs` has passed. */
export async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<void>((resolve) => {
    timer = clock.setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, expired]);
  clock.clearTimeout(timer);
}
