// One request or event on an open connection, with the encoding of Nest's data.
import { TransportError } from '@sealwire/channel';
import type { AnswerSink, ClientLink } from '@sealwire/channel';
import { Deadline, requestTimedOut, toTransportError } from '@sealwire/channel/internal';

import { encodeEvent, encodeRequest } from '../../packet/message.js';
import { decodeData } from '../../packet/payload.js';
import { readRefusal, readWireError } from '../../packet/wire-error.js';
import { Failure } from '../failure.js';
import { formatValue, toJson } from './value.js';

export interface OneCall {
  readonly kind: 'REQUEST' | 'EVENT';
  readonly pattern: string;
  readonly data: unknown;
  /** 0: none. */
  readonly timeoutMs: number;
  readonly stop: AbortSignal;
  readonly onValue: (value: unknown) => void;
}

/** Sends the message and resolves when the answer is complete. Cancels it at the deadline and at `stop`. */
export function call(link: ClientLink, { kind, pattern, data, timeoutMs, stop, onValue }: OneCall): Promise<void> {
  const message = kind === 'EVENT' ? encodeEvent({ pattern, data }) : encodeRequest({ pattern, data, timeoutMs });
  return new Promise<void>((resolve, reject) => {
    const expire = (): void => giveUp(requestTimedOut(timeoutMs, true));
    const deadline = timeoutMs > 0 ? new Deadline(timeoutMs, expire) : undefined;
    const end = (): void => {
      deadline?.clear();
      stop.removeEventListener('abort', interrupt);
    };
    const sink: AnswerSink = {
      next: (bytes, isLast) => {
        try {
          onValue(decodeData(bytes));
          if (isLast) sink.complete();
        } catch (error) {
          giveUp(error);
        }
      },
      complete: () => {
        end();
        resolve();
      },
      error: (bytes) => {
        end();
        reject(readFailure(kind, bytes));
      },
      fail: (error) => {
        end();
        reject(error);
      },
    };
    const stream = link.open(kind, message, sink);
    const giveUp = (error: unknown): void => {
      link.streams.cancel(stream);
      end();
      reject(error);
    };
    const interrupt = (): void => giveUp(stop.reason);
    stop.addEventListener('abort', interrupt);
    if (stop.aborted) interrupt();
  });
}

function readFailure(kind: OneCall['kind'], bytes: Buffer): Error {
  let value: unknown;
  try {
    value = decodeData(bytes);
  } catch (error) {
    return toTransportError(error);
  }
  const failure = kind === 'EVENT' ? readRefusal(bytes, value) : readWireError(bytes, value);
  if (failure instanceof TransportError) return failure;
  return new Failure('ERR_HANDLER_FAILED', `The handler failed: ${textOf(value)}`, { failure: toJson(value) });
}

function textOf(failure: unknown): string {
  if (typeof failure === 'string') return failure;
  const isObject = typeof failure === 'object' && failure !== null;
  return isObject && 'message' in failure && typeof failure.message === 'string'
    ? failure.message
    : formatValue(failure);
}
