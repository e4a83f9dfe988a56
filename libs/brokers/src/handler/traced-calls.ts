import type { WritePacket } from '@nestjs/microservices';
import { finalize, isObservable, tap } from 'rxjs';
import type { Observable } from 'rxjs';

import { CallTrace } from '../call-trace.js';
import type { BrokerCallMessage } from '../call-trace.js';

/**
 * Sends a request of a client, and publishes it as a call.
 *
 * @param send - Nest's sending. Its result ends the request.
 */
export function traceRequest(
  pattern: string,
  callback: (packet: WritePacket) => unknown,
  send: (callback: (packet: WritePacket) => unknown) => () => void,
): () => void {
  const trace = CallTrace.start({ side: 'client', kind: 'request', pattern });
  if (trace === undefined) return send(callback);
  const end = trace.run(() =>
    send((packet) => {
      if (packet.err) trace.fail(packet.err);
      else if (packet.isDisposed) trace.end();
      return callback(packet);
    }),
  );
  return () => {
    trace.cancel();
    end();
  };
}

/** Sends an event of a client, and publishes it as a call, which ends when Nest has sent it. */
export async function traceEvent<T>(pattern: string, send: () => Promise<T>): Promise<T> {
  const trace = CallTrace.start({ side: 'client', kind: 'event', pattern });
  if (trace === undefined) return send();
  try {
    const result = await trace.run(send);
    trace.end();
    return result;
  } catch (error) {
    trace.fail(error);
    throw error;
  }
}

/** Runs a handler of a server, and publishes it as a call, which ends with the last value of the handler. */
export function traceHandler<T>(
  message: Pick<BrokerCallMessage, 'kind' | 'pattern' | 'bytes'>,
  handle: () => Promise<T>,
): Promise<T> {
  const trace = CallTrace.start({ side: 'server', ...message });
  return trace === undefined ? handle() : traced(trace, handle);
}

async function traced<T>(trace: CallTrace, handle: () => Promise<T>): Promise<T> {
  try {
    const result = await handle();
    if (isObservable(result)) return observed(trace, result) as T;
    trace.end();
    return result;
  } catch (error) {
    trace.fail(error);
    throw error;
  }
}

function observed(trace: CallTrace, values: Observable<unknown>): Observable<unknown> {
  const ends = tap({ error: (error) => trace.fail(error), complete: () => trace.end() });
  return values.pipe(
    ends,
    finalize(() => trace.cancel()),
  );
}
