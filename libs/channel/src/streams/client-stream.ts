// One request or event of a client (docs/protocol.md §6.5):
//
//   QUEUED → BEGUN (has a slot) → SEALED (its first frame is sealed, with its id) → ENDED
//                                    ↘ CANCELLED (until CANCEL is sealed) ↗
import type { TransportError } from '../errors.js';
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import { SendingStream } from '../sending/sending-stream.js';

/** Receives the answer to one request or event. Exactly one of `complete`, `error`, `fail` or a last `next` ends it. */
export interface AnswerSink {
  /**
   * Called when the last frame of the message was sealed, while the record is being written: it must not open, cancel or
   * throw. Called again if the message is sent again.
   */
  sealed?(): void;
  /** @param data - encoding ‖ bytes: a view of its record, or a buffer of its own. */
  next(data: Buffer, last: boolean): void;
  error(data: Buffer): void;
  /** The answer is complete, or the event was handed to its handlers. */
  complete(): void;
  fail(error: TransportError): void;
}

/** One request or event, and the sink of its answer. */
export class ClientStream extends SendingStream {
  readonly kind: 'REQUEST' | 'EVENT';
  readonly message: OutgoingMessage;
  readonly sink: AnswerSink;
  /** Its number in the order of opening on this connection. */
  readonly order: number;
  /** Whether it was answered with a value that is not the last: the answer may never end. */
  isSeries = false;
  at: 'QUEUED' | 'BEGUN' | 'SEALED' | 'CANCELLED' | 'ENDED' = 'QUEUED';
  /** Set when an event begins. */
  sequence: number | undefined;

  constructor(kind: 'REQUEST' | 'EVENT', message: OutgoingMessage, sink: AnswerSink, order: number) {
    super(0);
    this.kind = kind;
    this.message = message;
    this.sink = sink;
    this.order = order;
  }
}
