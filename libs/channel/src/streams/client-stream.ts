// One request or event of a client (docs/protocol.md §6.5):
//
//   QUEUED → BEGUN (has a slot) → SEALED (its first frame was, with its id) → ENDED
//                                    ↘ CANCELLED (until CANCEL is sealed) ↗
import type { TransportError } from '../errors.js';
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import { SendingStream } from '../sending/sending-stream.js';

/** Receives the answer to one request or event. Exactly one of `complete`, `error`, `fail` or a last `next` ends it. */
export interface AnswerSink {
  /** @param data - encoding ‖ bytes: a view of its record, or a buffer of its own. */
  next(data: Buffer, last: boolean): void;
  error(data: Buffer): void;
  /** The answer is complete, or the event was handed to its handlers. */
  complete(): void;
  fail(error: TransportError): void;
}

/** One request or event, and what answers it. */
export class ClientStream extends SendingStream {
  readonly kind: 'REQUEST' | 'EVENT';
  readonly message: OutgoingMessage;
  readonly sink: AnswerSink;
  /** When it was opened, counted by the streams of the connection. */
  readonly order: number;
  /** It has been answered with a value, and others may follow for ever. */
  isSeries = false;
  at: 'QUEUED' | 'BEGUN' | 'SEALED' | 'CANCELLED' | 'ENDED' = 'QUEUED';
  /** Of an event that has begun. */
  sequence: number | undefined;

  constructor(kind: 'REQUEST' | 'EVENT', message: OutgoingMessage, sink: AnswerSink, order: number) {
    super(0);
    this.kind = kind;
    this.message = message;
    this.sink = sink;
    this.order = order;
  }
}
