/** What a connection knows of the frames that wait, and decides about them. */
export interface Sending {
  /** How many streams could give a frame now. */
  readonly readyCount: number;
  /** Bytes of messages that wait to be sealed, without bulk while it waits for credit. */
  readonly readyBytes: number;
  /** Whether bulk waits to be sealed, be it for its turn or for credit. */
  readonly hasBulk: boolean;
  /** Whether small messages have gone before bulk in the record that was begun last. */
  readonly bulkIsPassed: boolean;
  /** Bulk waits for credit, or may go on (docs/protocol.md §5.10). It is not ready while it waits. */
  holdBulk(isHeld: boolean): void;
  /** The frames that are written next are those of one record, until the next call. */
  beginRecord(): void;
}

/** The frames of a connection that has said nothing for a while. */
export const NOTHING_TO_SEND: Sending = {
  readyCount: 0,
  readyBytes: 0,
  hasBulk: false,
  bulkIsPassed: false,
  holdBulk: () => undefined,
  beginRecord: () => undefined,
};

/** What writes the frames of a connection. */
export interface FrameWriter {
  /** A stream has something to send. @param isPaced - Its source gives more as soon as this has gone. */
  schedule(isPaced: boolean): void;
}
