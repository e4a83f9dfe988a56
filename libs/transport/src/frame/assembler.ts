// How fragments become messages again (docs/protocol.md §6.4). The peer decides how they come, so memory is that of the
// messages alone, work is linear, and no fragment keeps alive the record it came in.
import { TransportError } from '../errors.js';

import type { Frame } from './frame.js';
import { IdTable } from './id-table.js';

export interface AssemblerLimits {
  readonly maxMessageBytes: number;
  readonly maxIncompleteBytes: number;
}

/** A message begun and not finished. */
interface Incomplete {
  readonly kind: Frame['kind'];
  readonly total: number;
  buffer: Buffer;
  filled: number;
  progressMs: number;
}

/** A message may take so much more memory than twice what has come of it (R6.29). */
const SPARE_BYTES = 65_536;
const NOTHING: Buffer = Buffer.alloc(0);

export class MessageAssembler {
  readonly #limits: AssemblerLimits;
  readonly #incomplete = new IdTable<Incomplete>();
  /** Of all incomplete messages, as they were announced. */
  #totals = 0;

  /** @param limits - What this side announced. */
  constructor(limits: AssemblerLimits) {
    this.#limits = limits;
  }

  /**
   * @returns The message that the frame completes: a view of the record if it came in one frame.
   * @throws {TransportError} `ERR_MESSAGE_TOO_LARGE`, `ERR_INCOMPLETE_LIMIT`, or `ERR_FRAME_UNEXPECTED` for a fragment
   *   that its message cannot have.
   */
  push(frame: Frame, nowMs: number): Buffer | undefined {
    const { kind, more, stream, total, body, start, end } = frame;
    const message = this.#incomplete.get(stream);
    if (message !== undefined && message.kind !== kind)
      throw unexpected(`A fragment of ${kind} inside ${message.kind}`);
    if (total > 0) {
      if (message !== undefined) throw unexpected(`A second first fragment of ${kind}`);
      this.#begin(frame, nowMs);
      return undefined;
    }
    if (message === undefined) {
      if (more) throw unexpected(`A fragment of ${kind} whose message has not begun`);
      return body.subarray(start, end);
    }
    this.#append(message, frame, nowMs);
    if (more) return undefined;
    this.drop(stream);
    return message.buffer;
  }

  /** Forgets what has come of the stream's message. */
  drop(stream: number): void {
    const message = this.#incomplete.get(stream);
    if (message === undefined) return;
    this.#totals -= message.total;
    this.#incomplete.delete(stream);
  }

  /** ERROR drops a NEXT under way on its stream; its own fragments go on. */
  dropOther(stream: number, kind: Frame['kind']): void {
    if (this.#incomplete.get(stream)?.kind !== kind) this.drop(stream);
  }

  /** Whether a message of the stream has begun and is not complete. */
  isIncomplete(stream: number): boolean {
    return this.#incomplete.has(stream);
  }

  /** What has come of the stream's message: a view, valid until the next frame. */
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

  #begin({ kind, stream, total, body, start, end }: Frame, nowMs: number): void {
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
    const buffer = Buffer.allocUnsafeSlow(capacityFor(end - start, total));
    body.copy(buffer, 0, start, end);
    this.#incomplete.set(stream, { kind, total, buffer, filled: end - start, progressMs: nowMs });
  }

  #append(message: Incomplete, { kind, more, body, start, end }: Frame, nowMs: number): void {
    const { filled, total } = message;
    const needed = filled + end - start;
    if (more ? needed >= total : needed !== total) {
      throw unexpected(`${needed} bytes of a ${kind} of ${total}${more ? ', and more to come' : ''}`);
    }
    if (needed > message.buffer.length) {
      const larger = Buffer.allocUnsafeSlow(capacityFor(needed, total));
      message.buffer.copy(larger, 0, 0, filled);
      message.buffer = larger;
    }
    body.copy(message.buffer, filled, start, end);
    message.filled = needed;
    message.progressMs = nowMs;
  }
}

/** Memory follows what has arrived, as 13 bytes can announce megabytes; a complete message has exactly its size. */
function capacityFor(filled: number, total: number): number {
  return Math.min(total, 2 * filled + SPARE_BYTES);
}

function unexpected(what: string): TransportError {
  return new TransportError('ERR_FRAME_UNEXPECTED', what);
}
