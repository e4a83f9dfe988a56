import { NO_MESSAGE_HANDLER } from '@sealwire/transport';
import { lastValueFrom, throwError, timeout } from 'rxjs';

import { HttpFailure } from '../../http/failure/http-failure.js';
import type { Fact } from './attack-result.js';
import type { AttackedClient } from './attack-stage.js';

/** Also on a machine that is busy. */
export const ANSWER_TIMEOUT_MS = 10_000;
/** An attacked call has no answer if nothing ends its connection. */
const ATTACKED_TIMEOUT_MS = 3_000;

/**
 * Calls the handler `echo`, and resolves with the round trip in milliseconds. A server without this handler answers too:
 * that it has none.
 *
 * @throws {HttpFailure} `ERR_DEADLINE` after `timeoutMs`.
 * @throws {TransportError} The reason why the connection ended.
 */
export async function echo(client: AttackedClient, timeoutMs = ANSWER_TIMEOUT_MS): Promise<number> {
  const begunMs = performance.now();
  const answer = client
    .send('echo', 'Hello Server!')
    .pipe(timeout({ first: timeoutMs, with: () => throwError(() => noAnswer(timeoutMs)) }));
  await lastValueFrom(answer).catch((error: unknown) => {
    if (error !== NO_MESSAGE_HANDLER) throw error;
  });
  return performance.now() - begunMs;
}

/** Calls `echo` under attack, and returns what its caller gets. */
export async function callerFact(client: AttackedClient): Promise<Fact> {
  try {
    const milliseconds = await echo(client, ATTACKED_TIMEOUT_MS);
    return { name: 'Caller', text: `It was answered in ${milliseconds.toFixed(1)} ms.` };
  } catch (error) {
    return { name: 'Caller', text: `${describe(error)}.` };
  }
}

/** Returns the code and the message of a failure. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? `${String(error.code)}: ${error.message}` : error.message;
}

function noAnswer(timeoutMs: number): HttpFailure {
  return new HttpFailure('ERR_DEADLINE', `No answer arrived within ${timeoutMs} ms; the log of the server may say why`);
}
