// Joins fragments to messages (docs/protocol.md §6.4). The peer decides how it splits messages, so memory is limited to
// that of the messages, the work is linear, and no fragment keeps its record alive.
import { TransportError } from '../errors.js';
import type { Frame } from '../frame/frame.js';
import { unexpected } from '../frame/violation.js';
import { IdTable } from './id-table.js';
import { PROCESS_MEMORY } from './incomplete-memory.js';
import type { IncompleteMemory } from './incomplete-memory.js';

/** The announced limits of a side. */
export interface AssemblerLimits {
  readonly maxMessageBytes: number;
  readonly maxIncompleteBytes: number;
}

/** The limits of a receiver. */
export interface ReceiverLimits extends AssemblerLimits {
  /** The maximum memory of incomplete messages in the whole process. */
  readonly maxIncompleteBytesTotal: number;
}

/** A message of which not all fragments have arrived. */
interface Incomplete {
  readonly kind: Frame['kind'];
  readonly total: number;
  /** Has only the first bytes of a discarded message; the rest is dropped. */
  buffer: Buffer;
  filled: number;
  progressMs: number;
  isDiscarded: boolean;
}

/** A message may take this much more memory than twice its received bytes (R6.29). */
const SPARE_BYTES = 65_536;
/** The length of the sequence of an event, which is needed when the event is refused. */
const KEPT_BYTES = 8;
const NOTHING: Buffer = Buffer.alloc(0);

/** Returned if there is no memory for a message. It is discarded, and its further fragments are only checked. */
export const NO_MEMORY = 'NO_MEMORY';

export class MessageAssembler {
  readonly #limits: ReceiverLimits;
  readonly #memory: IncompleteMemory;
  readonly #incomplete = new IdTable<Incomplete>();
  /** The sum of the announced lengths of all incomplete messages. */
  #totals = 0;

  /** @param limits - The limits of this side. */
  constructor(limits: ReceiverLimits, memory = PROCESS_MEMORY) {
    this.#limits = limits;
    this.#memory = memory;
  }

  /**
   * Adds a frame.
   *
   * @returns The message that the frame completes, a view of the record if it arrived in one frame; undefined if it is
   *   not complete or is discarded; {@link NO_MEMORY} once, when the message must be refused.
   * @throws {TransportError} `ERR_MESSAGE_TOO_LARGE`, `ERR_INCOMPLETE_LIMIT`, or `ERR_FRAME_UNEXPECTED` for a fragment
   *   that its message cannot have.
   */
  push(frame: Frame, nowMs: number): Buffer | typeof NO_MEMORY | undefined {
    const { kind, more, stream, total, body, start, end } = frame;
    const message = this.#incomplete.get(stream);
    if (message !== undefined && message.kind !== kind)
      throw unexpected(`a fragment of ${kind} arrived before ${message.kind} was complete`);
    if (total > 0) {
      if (message !== undefined) throw unexpected(`the first fragment of ${kind} arrived twice`);
      return this.#append(this.#begin(frame, nowMs), frame, nowMs);
    }
    if (message === undefined) {
      if (more) throw unexpected(`a fragment of ${kind} arrived before the first one`);
      return body.subarray(start, end);
    }
    return this.#append(message, frame, nowMs);
  }

  /** Drops the incomplete message of the stream. */
  drop(stream: number): void {
    const message = this.#incomplete.get(stream);
    if (message === undefined) return;
    this.#totals -= message.total;
    if (!message.isDiscarded) this.#memory.release(message.buffer.length);
    this.#incomplete.delete(stream);
  }

  /** Discards an unwanted message: its further fragments are checked and counted, and dropped (R6.30). */
  discard(stream: number): void {
    const message = this.#incomplete.get(stream);
    if (message !== undefined) this.#discard(message);
  }

  /** Drops an incomplete message of another kind: ERROR replaces an incomplete NEXT. */
  dropOther(stream: number, kind: Frame['kind']): void {
    if (this.#incomplete.get(stream)?.kind !== kind) this.drop(stream);
  }

  /** Returns whether the stream has an incomplete message. */
  isIncomplete(stream: number): boolean {
    return this.#incomplete.has(stream);
  }

  /**
   * Returns the received part of the message, or the first bytes of a discarded one: a view, valid until the next
   * frame.
   */
  begunWith(stream: number): Buffer {
    const message = this.#incomplete.get(stream);
    return message === undefined ? NOTHING : message.buffer.subarray(0, message.filled);
  }

  get hasIncomplete(): boolean {
    return this.#incomplete.size > 0;
  }

  /** The last progress of the message that has waited longest for a fragment; undefined if none is incomplete. */
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
        `The message is too large: ${total} bytes; this side accepts at most ${maxMessageBytes}`,
      );
    }
    this.#totals += total;
    if (this.#incomplete.size > 0 && this.#totals > maxIncompleteBytes) {
      throw new TransportError(
        'ERR_INCOMPLETE_LIMIT',
        `Too many incomplete messages: ${this.#totals} bytes; this side accepts at most ${maxIncompleteBytes}`,
      );
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
      throw unexpected(
        `the fragments of ${kind} have ${needed} bytes${more ? ' before the last one' : ''}, but the first one announced ${total}`,
      );
    }
    const hasMemory = isDiscarded || this.#reserve(message, needed);
    if (!hasMemory) this.#discard(message);
    if (filled < message.buffer.length) body.copy(message.buffer, filled, start, end);
    message.filled = needed;
    message.progressMs = nowMs;
    if (!hasMemory) return NO_MEMORY; // kept even after the last fragment, because its first bytes are needed
    if (more) return undefined;
    this.drop(stream);
    return isDiscarded ? undefined : message.buffer;
  }

  /**
   * Reserves memory in proportion to the received bytes, because 13 bytes can announce megabytes. The buffer of a
   * complete message has its exact length.
   */
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
