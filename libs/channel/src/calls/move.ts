// When a call may be tried again after an attempt has failed (docs/adr/0018-retries.md).
import type { TransportError } from '../errors.js';
import { neverRan } from '../sending/wire-error.js';

/** The maximum number of attempts of a call, the first included. */
export const MAX_ATTEMPTS = 3;

/**
 * Why a call may be tried again:
 *
 * - UNSENT: no byte of it was sent.
 * - LEAVING: the server shuts down and has called no handler. There may be another server soon, or the same one again.
 * - REFUSED: the server has called no handler for another reason. Only another server may accept the call.
 * - REPEATED: a handler may have run, and may run again.
 */
export type Move = 'UNSENT' | 'LEAVING' | 'REFUSED' | 'REPEATED';

/**
 * Returns why a call may be tried again after its connection has failed it; undefined if it may not, because its message or
 * this side is the reason of the failure, or because a handler may have run.
 *
 * @param mayRepeat - Whether running the handler twice is safe.
 */
export function moveAfterFailure(error: TransportError, mayRepeat: boolean): Move | undefined {
  const { code, fault, sent } = error;
  if (sent === false && neverRan(code)) return 'REFUSED'; // the server has closed the connection before it served anything
  if (fault === 'caller' && code !== 'ERR_STREAMS_EXHAUSTED') return undefined;
  if (sent === false) return 'UNSENT';
  return mayRepeat ? 'REPEATED' : undefined;
}

/**
 * Returns why a call may be tried again after a server has answered it with a failure of the transport; undefined if it may
 * not.
 */
export function moveAfterRefusal({ code }: TransportError, mayRepeat: boolean): Move | undefined {
  if (code === 'ERR_SHUTTING_DOWN') return 'LEAVING';
  if (neverRan(code)) return 'REFUSED';
  return code === 'ERR_STREAM_CUT' && mayRepeat ? 'REPEATED' : undefined;
}
