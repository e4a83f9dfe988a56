import type { WritePacket } from '@nestjs/microservices';
import { finalize, isObservable, Observable, tap } from 'rxjs';

import { CallTrace } from '../call-trace.js';
import type { CallStart } from '../call-trace.js';

type ClientCall = Pick<CallStart, 'system' | 'pattern' | 'destination'>;

/**
 * Sends a request of a client, and publishes it as a call.
 *
 * @param send - Nest's sending. Its result ends the request.
 */
export function traceRequest(
  call: ClientCall,
  callback: (packet: WritePacket) => unknown,
  send: (callback: (packet: WritePacket) => unknown) => () => void,
): () => void {
  const trace = CallTrace.start({ side: 'client', kind: 'request', ...call });
  if (trace === undefined) return send(callback);
  const end = trace.send(() =>
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
export async function traceEvent<T>(call: ClientCall, send: () => Promise<T>): Promise<T> {
  const trace = CallTrace.start({ side: 'client', kind: 'event', ...call });
  if (trace === undefined) return send();
  try {
    const result = await trace.send(send);
    trace.end();
    return result;
  } catch (error) {
    trace.fail(error);
    throw error;
  }
}

/**
 * Runs a handler of a server, and publishes it as a call, which ends with the last value of the handler.
 *
 * @param headers - Returns those that were sealed.
 */
export function traceHandler<T>(
  message: Omit<CallStart, 'side'>,
  headers: () => Readonly<Record<string, unknown>>,
  handle: () => Promise<T>,
): Promise<T> {
  const trace = CallTrace.start({ side: 'server', ...message }, headers);
  return trace === undefined ? handle() : traced(trace, handle);
}

async function traced<T>(trace: CallTrace, handle: () => Promise<T>): Promise<T> {
  try {
    const result = await trace.run(handle);
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
  const observedValues = values.pipe(
    ends,
    finalize(() => trace.cancel()),
  );
  return new Observable((subscriber) => trace.run(() => observedValues.subscribe(subscriber)));
}
