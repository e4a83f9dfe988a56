import { SendingStream } from './sending-stream.js';

/** One request or event of the peer. */
export interface ServerStream {
  /** No other stream of the connection has it, before or after. */
  readonly id: number;
  readonly kind: 'REQUEST' | 'EVENT';
  /** When its first frame came: its timeout counts from then. */
  readonly firstFrameMs: number;
}

/** Who serves the streams. */
export interface StreamHandler {
  /** A request is not complete, and its timeout has come (0: none): it may be failed from now on. */
  begun(stream: ServerStream, timeoutMs: number): void;
  /** @param message - A view of its record, or a buffer of its own. */
  request(stream: ServerStream, message: Buffer): void;
  event(stream: ServerStream, message: Buffer): void;
  /** There is no memory for a message: it is to be refused. @param begun - What has come of it: all of an event's sequence. */
  noMemory(stream: ServerStream, begun: Buffer): void;
  /** The server shuts down: it is to be answered now. @param begun - What has come of a message that is not complete. */
  shutDown(stream: ServerStream, begun: Buffer | undefined): void;
  /** The client lost interest, or the connection is over: nothing that is sent for the stream goes out any more. */
  cancelled(stream: ServerStream): void;
}

/** What {@link ServerStreams} keeps of it. */
export class OpenStream extends SendingStream implements ServerStream {
  readonly kind: 'REQUEST' | 'EVENT';
  readonly firstFrameMs: number;
  at: 'RECEIVING' | 'RUNNING' | 'ANSWERED' | 'ANSWERED_EARLY' = 'RECEIVING';
  /** As much of an incomplete request has come as its timeout takes. */
  hasTimeout = false;
  /** There was no memory for its message, and it is to be refused. */
  lacksMemory = false;
  /** Set while sources of its values wait, all of them for the same. */
  whenResumed: Promise<void> | undefined;
  resume: (() => void) | undefined;

  constructor(kind: 'REQUEST' | 'EVENT', id: number, nowMs: number) {
    super(id);
    this.kind = kind;
    this.firstFrameMs = nowMs;
  }
}
