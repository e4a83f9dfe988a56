import { clock } from '@sealwire/channel/internal';

const INTERVAL_MS = 1_000;

/** Calls `run` every second. @returns A function that stops it; further calls do nothing. */
export function everySecond(run: () => void): () => void {
  const wait = (): NodeJS.Timeout =>
    clock.setTimeout(() => {
      timer = wait();
      run();
    }, INTERVAL_MS);
  let timer = wait();
  return () => clock.clearTimeout(timer);
}
