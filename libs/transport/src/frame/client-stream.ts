// One request or event of a client (docs/protocol.md §6.5):
//
//   QUEUED → BEGUN (has an id and a slot) → SEALED (its first frame was) → ENDED
//                                              ↘ CANCELLED (until CANCEL is sealed) ↗
import type { TransportError } from '../errors.js';

import type { SendingStream } from './sender.js';

/** Who gets the answer to one request or event. Exactly one of `complete`, `error`, `fail` or a last `next` ends it. */
export interface AnswerSink {
  /** @param data - encoding ‖ bytes: a view of its record, or a buffer of its own. */
  next(data: Buffer, last: boolean): void;
  error(data: Buffer): void;
  /** The answer is complete, or the event was handed to its handlers. */
  complete(): void;
  fail(error: TransportError): void;
}

type StreamState =
  | typeof QUEUED
  | typeof ENDED
  | {
      readonly at: 'BEGUN' | 'SEALED' | 'CANCELLED';
      readonly sending: SendingStream;
      readonly sequence: number | undefined;
    };

const QUEUED = { at: 'QUEUED' } as const;
export const ENDED = { at: 'ENDED' } as const;

/** One request or event, and what answers it. */
export class ClientStream {
  readonly kind: 'REQUEST' | 'EVENT';
  readonly payload: Buffer;
  readonly sink: AnswerSink;
  /** When it was opened, counted by the streams of the connection. */
  readonly order: number;
  /** It has been answered with a value, and others may follow for ever. */
  isSeries = false;
  state: StreamState = QUEUED;

  constructor(kind: 'REQUEST' | 'EVENT', payload: Buffer, sink: AnswerSink, order: number) {
    this.kind = kind;
    this.payload = payload;
    this.sink = sink;
    this.order = order;
  }
}
