import type { TransportError } from '../errors.js';

import type { Frame } from './frame.js';

/** What a connection needs of its streams, whichever side it is. It owns the socket, they own the meaning of frames. */
export interface Streams {
  /** @throws {TransportError} A violation: it ends the connection. */
  receive(frame: Frame, nowMs: number): void;
  /** The next frame to seal, if there is one that fits into `roomBytes`. */
  nextFrame(roomBytes: number): Frame | undefined;
  /** How many streams could give a frame now. */
  readonly readyCount: number;
  /** So many ready ones are worth a write while others are still to come; unbounded where that cannot be told. */
  readonly burstCount: number;
  /** Bytes of messages that wait to be sealed. */
  readonly queuedBytes: number;
  /** Nothing is open and nothing waits. */
  readonly isIdle: boolean;
  /** Streams are still to be opened, so GOAWAY has to wait. */
  readonly hasUnopened: boolean;
  /** This side wants to say GOAWAY: nothing new is taken, and what waits is still opened before. */
  stopTaking(): void;
  /** GOAWAY has come: from now on the client opens no stream. */
  stopOpening(): void;
  /** CLOSE is about to be sealed: nothing goes out any more, answers may still come in. */
  stopSending(): void;
  readonly hasIncomplete: boolean;
  /** When the incomplete message that waits longest made progress; undefined when none is incomplete. */
  readonly stalestProgressMs: number | undefined;
  /** The connection is over; what is open ends with `reason`, which is asked only where something is: errors cost. `sent: false` holds for what was sealed as well. */
  end(reason: () => TransportError): void;
}
