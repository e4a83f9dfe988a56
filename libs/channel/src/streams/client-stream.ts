// One request or event of a client (docs/protocol.md §6.5):
//
//   QUEUED → BEGUN (has a slot) → SEALED (its first frame is sealed, with its id) → ENDED
//                                    ↘ CANCELLED (until CANCEL is sealed) ↗
//
// An event whose connection is lost: SEALED → KEPT (by its sequence) → BEGUN on another connection
import type { Moment } from '../moment.js';
import type { TransportError } from '../errors.js';
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import { SendingStream } from '../sending/sending-stream.js';

/** The receiver of one answer. Exactly one of `complete`, `error`, `fail` or a last `next` ends it. */
export interface AnswerSink {
  /** Whether running the handler twice is safe. Default: false. */
  readonly mayRepeat?: boolean;
  /**
   * Called when the last frame of the message has been sealed, while the record is being written: it must not open or
   * cancel streams, and must not throw. Called again if the message is sent again.
   */
  sealed?(): void;
  /**
   * Receives a value of the answer.
   *
   * @param data - encoding ‖ bytes: a view of its record, or a buffer of its own.
   */
  next(data: Buffer, last: boolean): void;
  /** Receives the error of the handler as bytes; no further value follows. */
  error(data: Buffer): void;
  /** Ends the answer, because it is complete, or because the event was passed to its handlers. */
  complete(): void;
  /** Ends the answer, because the call failed. */
  fail(error: TransportError): void;
}

/** The connection that has a stream, or the sequence that keeps an event. */
export interface StreamHolder {
  cancel(stream: ClientStream): void;
}

/** The loss of the connection on which an event was sealed. */
export interface Loss {
  readonly reason: () => TransportError;
  /** The last moment at which the server certainly had the client's window of events in use. */
  readonly lastRead: Moment;
}

/** One request or event, and the sink of its answer. */
export class ClientStream extends SendingStream {
  readonly kind: 'REQUEST' | 'EVENT';
  readonly message: OutgoingMessage;
  readonly sink: AnswerSink;
  /** Whether a value that is not the last has arrived; such an answer can be endless. */
  isSeries = false;
  at: 'QUEUED' | 'BEGUN' | 'SEALED' | 'KEPT' | 'CANCELLED' | 'ENDED' = 'QUEUED';
  holder: StreamHolder;
  /** The last loss after which the event was kept. */
  loss: Loss | undefined;
  /** The sequence number of an event, set when the event begins for the first time. */
  sequence: number | undefined;

  constructor(kind: 'REQUEST' | 'EVENT', message: OutgoingMessage, sink: AnswerSink, holder: StreamHolder) {
    super(0);
    this.kind = kind;
    this.message = message;
    this.sink = sink;
    this.holder = holder;
  }

  get order(): number {
    return this.message.order;
  }

  /** Whether its first frame was sealed on any connection, so that a handler may have run. */
  get wasSealed(): boolean {
    return this.at === 'SEALED' || this.loss !== undefined;
  }

  /** Returns whether the server may have received the event before the connection was lost. */
  isLostWith({ sent }: TransportError): boolean {
    return this.kind === 'EVENT' && this.at === 'SEALED' && (sent !== false || this.loss !== undefined);
  }

  /**
   * Records that the connection was lost. An earlier loss is kept if the server has refused this connection or has sent
   * nothing on it, because then it may not have checked the window of events.
   */
  noteLoss(reason: () => TransportError, lastRead: Moment | undefined, openedAt: Moment): void {
    if (this.loss !== undefined && (lastRead === undefined || reason().sent === false)) return;
    this.loss = { reason, lastRead: lastRead ?? openedAt };
  }
}
