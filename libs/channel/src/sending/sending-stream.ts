import type { FrameKind } from '../frame/frame.js';
import { Fifo } from './fifo.js';
import type { OutgoingMessage } from './outgoing-message.js';

/** A queued message, or a signal, which has no message. */
export interface Outgoing {
  readonly kind: FrameKind;
  readonly message: OutgoingMessage | undefined;
  last: boolean;
}

/** The sending half of one stream. Only the `FrameSender` looks inside. */
export class SendingStream {
  /** At a client, 0 until its first frame is written. */
  id: number;
  /** The current message or signal. */
  outgoing: Outgoing | undefined;
  /** Later messages and signals; most streams send one message. */
  readonly later = new Fifo<Outgoing>();
  /** The bytes of all of them that have not been sent. */
  queuedBytes = 0;
  /** How much of the current message has been sent. */
  offset = 0;
  /** The length of the message that takes room of the peer for incomplete messages; 0 if none does. */
  roomBytes = 0;
  isScheduled = false;

  constructor(id: number) {
    this.id = id;
  }

  /** The number of waiting messages, including the current one. */
  get queuedCount(): number {
    return this.outgoing === undefined ? 0 : 1 + this.later.size;
  }
}
