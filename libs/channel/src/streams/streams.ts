import type { Moment } from '../moment.js';
import type { TransportError } from '../errors.js';
import type { Frame } from '../frame/frame.js';
import type { FrameWriter, Sending } from '../sending/sending.js';

/** With fewer open streams, the two sides would only alternate if one wrote half of them in one write. */
export const MANY_STREAMS = 32;

/** The streams of a connection, at either side. The connection owns the socket; the streams interpret the frames. */
export interface Streams {
  /**
   * Called once, at the start. The streams call `writer` whenever they have something to send, so that callers need not
   * flush.
   */
  setWriter(writer: FrameWriter): void;
  /** @throws {TransportError} A violation, which ends the connection. */
  receive(frame: Frame, nowMs: number): void;
  /**
   * Writes the next frame to `target`, which has `roomBytes` from `at` on.
   *
   * @returns The bytes written; 0 if no stream is ready, or if the frame does not fit.
   */
  writeFrame(target: Buffer, at: number, roomBytes: number): number;
  readonly sending: Sending;
  /** The number of ready streams that justifies an early write; Infinity if unknown. */
  readonly burstCount: number;
  /** The number of open streams. */
  readonly openCount: number;
  /** Whether no stream is open and none waits. */
  readonly isIdle: boolean;
  /** Whether streams wait to be opened, so that GOAWAY has to wait. */
  readonly hasUnopened: boolean;
  /** Called before GOAWAY is sent: refuses new streams, and still opens the waiting ones. */
  stopTaking(): void;
  /** Called when GOAWAY was received: the client opens no more streams. */
  stopOpening(): void;
  /** Called before CLOSE is sealed: nothing more is sent, but answers may still arrive. */
  stopSending(): void;
  /** Called when the drain has timed out: all open streams are answered, because CLOSE follows. */
  shutDown(): void;
  /** Called when the connection has been idle for a while: drops everything that the next frame can create again. */
  hibernate(): void;
  readonly hasIncomplete: boolean;
  /** The last progress of the incomplete message that has waited longest; undefined if none is incomplete. */
  readonly stalestProgressMs: number | undefined;
  /**
   * Called when the connection has ended: all open streams fail with `reason`, which is a function because errors are
   * expensive to create. Its `sent: false` applies to sealed messages too.
   *
   * @param lastRead - When the last record of the peer was read; undefined if none was.
   */
  end(reason: () => TransportError, lastRead?: Moment): void;
}
