import { Observable } from 'rxjs';
import { bytesPayload } from '../payload.js';
import type { StreamAsk } from '../peer.js';

const VALUES_A_TURN = 16;

/** Emits a few values in each turn of the event loop, as a source of its own pace would. */
export function makeStream({ values, valueBytes }: StreamAsk): Observable<unknown> {
  const bytes = valueBytes > 0 ? bytesPayload(valueBytes) : undefined;
  return new Observable((subscriber) => {
    let sent = 0;
    const emitSome = (): void => {
      const end = Math.min(sent + VALUES_A_TURN, values);
      for (; sent < end; sent++) subscriber.next(bytes ?? sent);
      if (sent === values) subscriber.complete();
      else if (!subscriber.closed) setImmediate(emitSome);
    };
    emitSome();
  });
}
