import type { SealwireClient } from '@sealwire/transport';
import { NO_MESSAGE_HANDLER } from '@sealwire/transport';
import { lastValueFrom, timeout } from 'rxjs';

const DEADLINE_MS = 3_000;

/**
 * Calls the handler `echo`, and resolves with the round trip in milliseconds. A server without this handler answers too:
 * that it has none.
 */
export async function echo(client: SealwireClient): Promise<number> {
  const begunMs = performance.now();
  const answer = client.send<unknown>('echo', 'Hello Server!').pipe(timeout(DEADLINE_MS));
  await lastValueFrom(answer).catch((error: unknown) => {
    if (error !== NO_MESSAGE_HANDLER) throw error;
  });
  return performance.now() - begunMs;
}
