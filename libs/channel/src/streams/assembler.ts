// How fragments become messages again (docs/protocol.md §6.4). The peer decides how they come, so memory is that of the
// messages alone, work is linear, and no fragment keeps alive the record it came in.
import { TransportError } from '../errors.js';
import type { Frame } from '../frame/frame.js';
import { unexpected } from '../frame/violation.js';
import { IdTable } from './id-table.js';
import { PROCESS_MEMORY } from './incomplete-memory.js';
import type { IncompleteMemory } from './incomplete-memory.js';

/** What a side announces. */
export interface AssemblerLimits {
  readonly maxMessageBytes: number;
  readonly maxIncompleteBytes: number;
}

/** What a side takes. */
export interface ReceiverLimits extends AssemblerLimits {
  /** Memory of the incomplete messages of the whole process. */
  readonly maxIncompleteBytesTotal: number;
}

/** A message begun and not finished. */
interface Incomplete {
  readonly kind: Frame['kind'];
  readonly total: number;
  /** Of a discarded one the first bytes alone, and the rest is dropped as it comes. */
  buffer: Buffer;
  filled: number;
  progressMs: number;
  isDiscarded: boolean;
}

/** A message may take so much more memory than twice what has come of it (R6.29). */
const SPARE_BYTES = 65_536;
/** As many as the sequence of an event has, which is asked for before the event is refused. */
const KEPT_BYTES = 8;
const NOTHING: Buffer = Buffer.alloc(0);

/** What a frame has made of its message when there is no memory for it: it is discarded, and the rest is only checked. */
export const NO_MEMORY = 'NO_MEMORY';

export class MessageAssembler {
  readonly #limits: ReceiverLimits;
  readonly #memory: IncompleteMemory;
  readonly #incomplete = new IdTable<Incomplete>();
  /** Of all incomplete messages, as they were announced. */
  #totals = 0;

  /** @param limits - What this side announced, and its memory. */
  constructor(limits: ReceiverLimits, memory = PROCESS_MEMORY) {
    this.#limits = limits;
    this.#memory = memory;
  }

  /**
   * @returns The message that the frame completes: a view of the record if it came in one frame. Undefined also for what is
   *   discarded, and {@link NO_MEMORY} once, when the message has to be refused.
   * @throws {TransportError} `ERR_MESSAGE_TOO_LARGE`, `ERR_INCOMPLETE_LIMIT`, or `ERR_FRAME_UNEXPECTED` for a fragment
   *   that its message cannot have.
   */
  push(frame: Frame, nowMs: number): Buffer | typeof NO_MEMORY | undefined {
    const { kind, more, stream, total, body, start, end } = frame;
    const message = this.#incomplete.get(stream);
    if (message !== undefined && message.kind !== kind)
      throw unexpected(`A fragment of ${kind} inside ${message.kind}`);
    if (total > 0) {
      if (message !== undefined) throw unexpected(`A second first fragment of ${kind}`);
      return this.#append(this.#begin(frame, nowMs), frame, nowMs);
    }
    if (message === undefined) {
      if (more) throw unexpected(`A fragment of ${kind} whose message has not begun`);
      return body.subarray(start, end);
    }
    return this.#append(message, frame, nowMs);
  }

  /** Forgets what has come of the stream's message. */
  drop(stream: number): void {
    const message = this.#incomplete.get(stream);
    if (message === undefined) return;
    this.#totals -= message.total;
    if (!message.isDiscarded) this.#memory.release(message.buffer.length);
    this.#incomplete.delete(stream);
  }

  /** The message is wanted no more: what comes of it is checked and counted as before, and dropped (R6.30). */
  discard(stream: number): void {
    const message = this.#incomplete.get(stream);
    if (message !== undefined) this.#discard(message);
  }

  /** ERROR drops a NEXT under way on its stream; its own fragments go on. */
  dropOther(stream: number, kind: Frame['kind']): void {
    if (this.#incomplete.get(stream)?.kind !== kind) this.drop(stream);
  }

  /** Whether a message of the stream has begun and is not complete. */
  isIncomplete(stream: number): boolean {
    return this.#incomplete.has(stream);
  }

  /** What has come of the stream's message, of a discarded one its first bytes: a view, valid until the next frame. */
  begunWith(stream: number): Buffer {
    const message = this.#incomplete.get(stream);
    return message === undefined ? NOTHING : message.buffer.subarray(0, message.filled);
  }

  get hasIncomplete(): boolean {
    return this.#incomplete.size > 0;
  }

  /** When the message that waits longest for its next fragment made progress; none is incomplete: undefined. */
  get stalestProgressMs(): number | undefined {
    let stalest: number | undefined;
    for (const [, { progressMs }] of this.#incomplete.entries()) {
      if (stalest === undefined || progressMs < stalest) stalest = progressMs;
    }
    return stalest;
  }

  #begin({ kind, stream, total }: Frame, progressMs: number): Incomplete {
    const { maxMessageBytes, maxIncompleteBytes } = this.#limits;
    if (total > maxMessageBytes) {
      throw new TransportError(
        'ERR_MESSAGE_TOO_LARGE',
        `A message of ${total} bytes; this side takes ${maxMessageBytes}`,
      );
    }
    this.#totals += total;
    if (this.#incomplete.size > 0 && this.#totals > maxIncompleteBytes) {
      throw new TransportError('ERR_INCOMPLETE_LIMIT', `Incomplete messages of more than ${maxIncompleteBytes} bytes`);
    }
    const message = { kind, total, buffer: NOTHING, filled: 0, progressMs, isDiscarded: false };
    this.#incomplete.set(stream, message);
    return message;
  }

  #append(message: Incomplete, frame: Frame, nowMs: number): Buffer | typeof NO_MEMORY | undefined {
    const { kind, more, stream, body, start, end } = frame;
    const { filled, total, isDiscarded } = message;
    const needed = filled + end - start;
    if (more ? needed >= total : needed !== total) {
      throw unexpected(`${needed} bytes of a ${kind} of ${total}${more ? ', and more to come' : ''}`);
    }
    const hasMemory = isDiscarded || this.#reserve(message, needed);
    if (!hasMemory) this.#discard(message);
    if (filled < message.buffer.length) body.copy(message.buffer, filled, start, end);
    message.filled = needed;
    message.progressMs = nowMs;
    if (!hasMemory) return NO_MEMORY; // also of the last fragment it is kept, as its first bytes are asked for
    if (more) return undefined;
    this.drop(stream);
    return isDiscarded ? undefined : message.buffer;
  }

  /** Memory follows what has arrived, as 13 bytes can announce megabytes; a complete message has exactly its size. */
  #reserve(message: Incomplete, needed: number): boolean {
    const { buffer, filled, total } = message;
    if (needed <= buffer.length) return true;
    const bytes = Math.min(total, 2 * needed + SPARE_BYTES);
    if (!this.#memory.take(bytes - buffer.length, this.#limits.maxIncompleteBytesTotal)) return false;
    message.buffer = Buffer.allocUnsafeSlow(bytes);
    buffer.copy(message.buffer, 0, 0, filled);
    return true;
  }

  #discard(message: Incomplete): void {
    const { buffer, filled, isDiscarded } = message;
    if (isDiscarded) return;
    this.#memory.release(buffer.length);
    message.buffer = Buffer.allocUnsafeSlow(KEPT_BYTES);
    buffer.copy(message.buffer, 0, 0, filled);
    message.isDiscarded = true;
  }
}
