/** The waiting frames, as the connection sees and controls them. */
export interface Sending {
  /** The number of streams with a frame that can be sent now. */
  readonly readyCount: number;
  /** The bytes of messages that can be sealed now: without bulk while it waits for credit. */
  readonly readyBytes: number;
  /** Whether bulk waits to be sealed, for its turn or for credit. */
  readonly hasBulk: boolean;
  /** Whether small messages have overtaken bulk in the current record. */
  readonly bulkIsPassed: boolean;
  /** Makes bulk wait for credit, or continue (docs/protocol.md §5.10). Waiting bulk is not ready. */
  holdBulk(isHeld: boolean): void;
  /** Starts a record: the frames until the next call belong to it. */
  beginRecord(): void;
}

/** Used by an idle connection. */
export const NOTHING_TO_SEND: Sending = {
  readyCount: 0,
  readyBytes: 0,
  hasBulk: false,
  bulkIsPassed: false,
  holdBulk: () => undefined,
  beginRecord: () => undefined,
};

/** The writer of a connection, as its streams use it. */
export interface FrameWriter {
  /**
   * Called when a stream has something to send.
   *
   * @param isPaced - Its source produces more as soon as this is written.
   */
  schedule(isPaced: boolean): void;
}
