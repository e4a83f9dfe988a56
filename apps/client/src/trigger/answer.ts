// Operators for the values of a handler's answer.
import type { ServerResponse } from 'node:http';

import { defer, from, map, takeUntil, tap, throwError, timeout, timer, toArray } from 'rxjs';
import type { MonoTypeOperatorFunction, OperatorFunction } from 'rxjs';

import { HttpFailure } from '../http/failure/http-failure.js';
import { whenClosed } from '../http/in-flight.js';
import { toJson } from '../http/json-reply.js';

const MAX_REPLY_BYTES = 32 * 1_024 * 1_024;
const VALUE_OVERHEAD_BYTES = 64; // otherwise many tiny values would be unbounded

/** Fails unless the answer is complete in time. The handler is then cancelled. */
export function completeWithin<T>(milliseconds: number): MonoTypeOperatorFunction<T> {
  return takeUntil(
    timer(milliseconds).pipe(
      map(() => {
        throw deadlinePassed(milliseconds);
      }),
    ),
  );
}

/** Fails unless the answer begins in time. Its duration is not limited. */
export function beginWithin<T>(milliseconds: number): MonoTypeOperatorFunction<T> {
  return timeout({ first: milliseconds, with: () => throwError(() => deadlinePassed(milliseconds)) });
}

/** Cancels the handler when the caller has closed the connection. */
export function whileOpen<T>(response: ServerResponse): MonoTypeOperatorFunction<T> {
  return takeUntil(defer(() => from(whenClosed(response))));
}

/**
 * Collects all values in one JSON array. Its size is limited, because an answer may never end.
 *
 * @param hold - Called with the size of each value; throws if there are too many bytes.
 */
export function toJsonArray(hold: (bytes: number) => void): OperatorFunction<unknown, string> {
  return (values) =>
    defer(() => {
      let bytes = 0;
      return values.pipe(
        map(toJson),
        tap((json) => {
          const added = Buffer.byteLength(json) + VALUE_OVERHEAD_BYTES;
          bytes += added;
          if (bytes > MAX_REPLY_BYTES) throw replyTooLarge();
          hold(added);
        }),
        toArray(),
        map((parts) => `[${parts.join(',')}]`),
      );
    });
}

function deadlinePassed(milliseconds: number): HttpFailure {
  return new HttpFailure('ERR_DEADLINE', `The server did not answer within ${milliseconds} ms`);
}

function replyTooLarge(): HttpFailure {
  const message = `The answer is too large: its values may take at most ${MAX_REPLY_BYTES} bytes together; use GET /stream`;
  return new HttpFailure('ERR_REPLY_TOO_LARGE', message);
}
