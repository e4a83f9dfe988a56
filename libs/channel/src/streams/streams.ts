import type { TransportError } from '../errors.js';
import type { Frame } from '../frame/frame.js';
import type { FrameWriter, Sending } from '../sending/sending.js';

/** With fewer streams that are open the two sides would take turns if one wrote half of them at once. */
export const MANY_STREAMS = 32;

/** What a connection needs of its streams, whichever side it is. It owns the socket, they own the meaning of frames. */
export interface Streams {
  /** Before anything is received or sent: `writer` is called whenever a stream has something to send that it had not before: no caller flushes. */
  setWriter(writer: FrameWriter): void;
  /** @throws {TransportError} A violation: it ends the connection. */
  receive(frame: Frame, nowMs: number): void;
  /**
   * Writes the next frame to `target`, which has `roomBytes` from `at` on.
   *
   * @returns Its bytes; 0 if no stream is ready, or if the frame does not fit.
   */
  writeFrame(target: Buffer, at: number, roomBytes: number): number;
  readonly sending: Sending;
  /** So many ready ones are worth a write while others are still to come; unbounded where that cannot be told. */
  readonly burstCount: number;
  /** Streams that are not over. */
  readonly openCount: number;
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
  /** The time in which this side shuts down is over: what is open is answered, as CLOSE comes next. */
  shutDown(): void;
  /** Nothing has come or gone for a while: drops what the next frame makes again, and what is held for no reason. */
  hibernate(): void;
  readonly hasIncomplete: boolean;
  /** When the incomplete message that waits longest made progress; undefined when none is incomplete. */
  readonly stalestProgressMs: number | undefined;
  /** The connection is over; what is open ends with `reason`, which is asked only where something is: errors cost. `sent: false` holds for what was sealed as well. */
  end(reason: () => TransportError): void;
}
