import type { FrameKind } from '../frame/frame.js';
import { Fifo } from './fifo.js';
import type { OutgoingMessage } from './outgoing-message.js';

/** What a stream still has to send: a message, or a signal, which has none. */
export interface Outgoing {
  readonly kind: FrameKind;
  readonly message: OutgoingMessage | undefined;
  last: boolean;
}

/** The sending half of one stream. Only the `FrameSender` looks inside. */
export class SendingStream {
  /** 0 until its first frame is written, where this side gives the ids. */
  id: number;
  /** What is under way or next. */
  outgoing: Outgoing | undefined;
  /** What comes behind it; most streams send one message. */
  readonly later = new Fifo<Outgoing>();
  /** Bytes of all of these that have not been sent. */
  queuedBytes = 0;
  /** How much of the message has been sent. */
  offset = 0;
  /** The size of the message of this stream that counts among the peer's incomplete ones; 0 if none does. */
  roomBytes = 0;
  isScheduled = false;

  constructor(id: number) {
    this.id = id;
  }

  /** Messages that wait, the one under way included. */
  get queuedCount(): number {
    return this.outgoing === undefined ? 0 : 1 + this.later.size;
  }
}
