// What a call makes of the values that a handler answers with.
import type { ServerResponse } from 'node:http';

import { defer, from, map, takeUntil, tap, throwError, timeout, timer, toArray } from 'rxjs';
import type { MonoTypeOperatorFunction, OperatorFunction } from 'rxjs';

import { HttpFailure } from '../http/failure/http-failure.js';
import { whenClosed } from '../http/in-flight.js';
import { toJson } from '../http/json-reply.js';

const MAX_REPLY_BYTES = 32 * 1_024 * 1_024;
const VALUE_OVERHEAD_BYTES = 64; // so that many tiny values are bounded as well

/** Fails unless the answer is complete in time. The handler is told to stop. */
export function completeWithin<T>(milliseconds: number): MonoTypeOperatorFunction<T> {
  return takeUntil(
    timer(milliseconds).pipe(
      map(() => {
        throw deadlinePassed(milliseconds);
      }),
    ),
  );
}

/** Fails unless the answer begins in time; it may go on for ever. */
export function beginWithin<T>(milliseconds: number): MonoTypeOperatorFunction<T> {
  return timeout({ first: milliseconds, with: () => throwError(() => deadlinePassed(milliseconds)) });
}

/** Stops, and with it the handler, when the caller has gone. */
export function whileOpen<T>(response: ServerResponse): MonoTypeOperatorFunction<T> {
  return takeUntil(defer(() => from(whenClosed(response))));
}

/**
 * All values, as the text of one JSON array. Bounded, as a handler can go on for ever.
 *
 * @param hold - Is given the bytes of each value as it comes; throws if there are too many.
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
          if (bytes > MAX_REPLY_BYTES) throw new HttpFailure('ERR_REPLY_TOO_LARGE', 'The answer has too many values');
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
