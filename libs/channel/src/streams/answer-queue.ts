// The queued answers of one connection (docs/protocol.md §6.6). The bytes that wait to be sealed are limited, and a
// source of many values can wait for room.
import { TransportError } from '../errors.js';
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import { FrameSender } from '../sending/sender.js';
import type { SignalKind, WrittenFrame } from '../sending/sender.js';
import type { FrameWriter, Sending } from '../sending/sending.js';
import type { SendingStream } from '../sending/sending-stream.js';
import type { AssemblerLimits } from './assembler.js';

/** The source of an answer pauses with this much waiting: enough to fill the records of several turns. */
const MAX_AHEAD_BYTES = 65_536;
const MAX_AHEAD_VALUES = 64;

/** The wait for room that all sources of one answer share. */
class Pause {
  end: () => void = () => undefined;
  readonly over = new Promise<void>((resolve) => {
    this.end = resolve;
  });
}

export class AnswerQueue {
  readonly #maxMessageBytes: number;
  readonly #maxQueuedBytes: number;
  readonly #sender: FrameSender<SendingStream>;
  /** Created when a source pauses. */
  #pauses: Map<SendingStream, Pause> | undefined;
  readonly #writer: FrameWriter | undefined;

  /**
   * @param peer - The announced limits.
   * @param maxQueuedBytes - The maximum bytes of answers that wait to be sealed.
   */
  constructor(peer: AssemblerLimits, maxQueuedBytes: number, writer: FrameWriter | undefined) {
    this.#maxMessageBytes = peer.maxMessageBytes;
    this.#maxQueuedBytes = maxQueuedBytes;
    this.#sender = new FrameSender(peer.maxIncompleteBytes);
    this.#writer = writer;
  }

  get sending(): Sending {
    return this.#sender;
  }

  /** @throws {TransportError} `ERR_MESSAGE_TOO_LARGE` or `ERR_ANSWER_OVERFLOW`: a value of `bytes` cannot be sent. */
  checkRoom(bytes: number): void {
    if (bytes > this.#maxMessageBytes) {
      throw new TransportError(
        'ERR_MESSAGE_TOO_LARGE',
        `The answer is too large: ${bytes} bytes; the client accepts at most ${this.#maxMessageBytes}`,
      );
    }
    const { queuedBytes } = this.#sender;
    if (queuedBytes > 0 && queuedBytes + bytes > this.#maxQueuedBytes) {
      throw new TransportError(
        'ERR_ANSWER_OVERFLOW',
        `The answer cannot be queued: ${queuedBytes} bytes of answers are already queued (limits.maxQueuedBytes)`,
      );
    }
  }

  /**
   * Queues a value that has passed {@link checkRoom}. Unless it is the last one, its source continues when it is
   * written.
   */
  pushValue(stream: SendingStream, value: OutgoingMessage, last: boolean): void {
    this.#sender.sendMessage(stream, 'NEXT', value, last);
    this.#writer?.schedule(!last);
  }

  /**
   * Queues an error after the waiting values. It may exceed the limit, because the caller would otherwise wait forever.
   */
  pushError(stream: SendingStream, error: OutgoingMessage): void {
    this.#sender.sendMessage(stream, 'ERROR', error);
    this.#writer?.schedule(false);
  }

  pushSignal(stream: SendingStream, kind: SignalKind): void {
    this.#sender.sendSignal(stream, kind);
    this.#writer?.schedule(false);
  }

  /** Ends the answer: by LAST on a value that still waits, otherwise by COMPLETE. */
  pushEnd(stream: SendingStream): void {
    if (!this.#sender.markLast(stream)) this.#sender.sendSignal(stream, 'COMPLETE');
    this.#writer?.schedule(false);
  }

  /** Ends the answer with an error of one frame that replaces everything that waits. */
  replace(stream: SendingStream, error: OutgoingMessage): void {
    this.#sender.replace(stream, error);
    this.#writer?.schedule(false);
  }

  /** Drops everything that waits for the stream. */
  drop(stream: SendingStream): void {
    this.#sender.drop(stream);
  }

  /**
   * Returns undefined if the stream takes another value now, otherwise a promise that resolves when it does or is
   * closed.
   */
  whenWritable(stream: SendingStream): Promise<void> | undefined {
    if (this.#isWritable(stream)) return undefined;
    const pauses = (this.#pauses ??= new Map());
    const pause = pauses.get(stream) ?? new Pause();
    pauses.set(stream, pause);
    return pause.over;
  }

  /** Writes the next frame to `target`, which has `roomBytes` from `at` on. @returns Its bytes; 0 if there is none. */
  writeFrame(target: Buffer, at: number, roomBytes: number): number {
    const wasFull = this.#isFull;
    const bytes = this.#sender.writeNext(target, at, roomBytes);
    const { written } = this.#sender;
    const pauses = this.#pauses;
    if (bytes === 0 || written === undefined || pauses === undefined || pauses.size === 0) return bytes;
    if (!wasFull || this.#isFull) this.#resumeIfWritable(written.stream);
    else for (const stream of pauses.keys()) this.#resumeIfWritable(stream);
    return bytes;
  }

  /** The frame that {@link writeFrame} has written; the next call overwrites it. */
  get written(): Readonly<WrittenFrame<SendingStream>> | undefined {
    return this.#sender.written;
  }

  /** Resumes the sources of the stream. */
  resume(stream: SendingStream): void {
    const pause = this.#pauses?.get(stream);
    if (pause === undefined) return;
    this.#pauses?.delete(stream);
    pause.end();
  }

  /** Drops the reference to the last written frame. */
  forgetWritten(): void {
    this.#sender.forgetWritten();
  }

  #resumeIfWritable(stream: SendingStream): void {
    if (this.#isWritable(stream)) this.resume(stream);
  }

  get #isFull(): boolean {
    return this.#sender.queuedBytes * 2 > this.#maxQueuedBytes;
  }

  #isWritable({ queuedBytes, queuedCount }: SendingStream): boolean {
    return !this.#isFull && queuedBytes < MAX_AHEAD_BYTES && queuedCount < MAX_AHEAD_VALUES;
  }
}
