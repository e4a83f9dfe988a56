import type { SealwireClient } from '@sealwire/transport';
import { NO_MESSAGE_HANDLER, SealwireRecordBuilder } from '@sealwire/transport';
import { lastValueFrom } from 'rxjs';

const TIMEOUT_MS = 3_000;

/**
 * Calls the handler `echo`, and resolves with the round trip in milliseconds. A server without this handler answers too:
 * that it has none.
 *
 * @throws {TransportError} `ERR_REQUEST_TIMEOUT`, or the reason why the connection ended.
 */
export async function echo(client: SealwireClient): Promise<number> {
  const begunMs = performance.now();
  const answer = client.send<unknown>(
    'echo',
    new SealwireRecordBuilder('Hello Server!').setTimeoutMs(TIMEOUT_MS).build(),
  );
  await lastValueFrom(answer).catch((error: unknown) => {
    if (error !== NO_MESSAGE_HANDLER) throw error;
  });
  return performance.now() - begunMs;
}
