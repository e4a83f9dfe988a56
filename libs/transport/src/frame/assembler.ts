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
  buffer: Buffer;
  filled: number;
  progressMs: number;
}

const INITIAL_BYTES = 1_024;
/** From here on a step costs more memory than the copies it saves. */
const LARGE_BYTES = 262_144;

export class MessageAssembler {
  readonly #limits: AssemblerLimits;
  readonly #incomplete = new IdTable<Incomplete>();
  #incompleteBytes = 0;

  /** @param limits - What this side announced. */
  constructor(limits: AssemblerLimits) {
    this.#limits = limits;
  }

  /**
   * @returns The message that the fragment completes: a view of the record if it came in one frame.
   * @throws {TransportError} `ERR_MESSAGE_TOO_LARGE`, `ERR_INCOMPLETE_LIMIT`, or `ERR_FRAME_UNEXPECTED` for a fragment
   *   of another kind than its message.
   */
  push({ kind, more, stream, payload }: Frame, nowMs: number): Buffer | undefined {
    const begun = this.#incomplete.get(stream);
    if (begun === undefined && !more) {
      this.#checkMessage(payload.length);
      return payload;
    }
    const message = begun ?? this.#begin(kind, stream, nowMs);
    if (message.kind !== kind)
      throw new TransportError('ERR_FRAME_UNEXPECTED', `A fragment of ${kind} inside ${message.kind}`);
    this.#append(message, payload, nowMs);
    if (more) return undefined;
    this.drop(stream);
    return message.buffer.subarray(0, message.filled);
  }

  /** Forgets what has come of the stream's message. */
  drop(stream: number): void {
    const message = this.#incomplete.get(stream);
    if (message === undefined) return;
    this.#incompleteBytes -= message.filled;
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

  #begin(kind: Frame['kind'], stream: number, nowMs: number): Incomplete {
    const message = { kind, buffer: Buffer.allocUnsafe(INITIAL_BYTES), filled: 0, progressMs: nowMs };
    this.#incomplete.set(stream, message);
    return message;
  }

  #append(message: Incomplete, payload: Buffer, nowMs: number): void {
    const filled = message.filled + payload.length;
    this.#checkMessage(filled);
    this.#incompleteBytes += payload.length;
    if (this.#incompleteBytes > this.#limits.maxIncompleteBytes && this.#incomplete.size > 1) {
      throw new TransportError(
        'ERR_INCOMPLETE_LIMIT',
        `More than ${this.#limits.maxIncompleteBytes} bytes in incomplete messages`,
      );
    }
    if (filled > message.buffer.length) message.buffer = grow(message, filled);
    payload.copy(message.buffer, message.filled);
    message.filled = filled;
    message.progressMs = nowMs;
  }

  #checkMessage(bytes: number): void {
    if (bytes <= this.#limits.maxMessageBytes) return;
    throw new TransportError('ERR_MESSAGE_TOO_LARGE', `A message of more than ${this.#limits.maxMessageBytes} bytes`);
  }
}

/** In steps that grow with the message, so that one in tiny fragments costs no more than one in large ones. */
function grow({ buffer, filled }: Incomplete, needed: number): Buffer {
  const factor = needed < LARGE_BYTES ? 4 : 2;
  const larger = Buffer.allocUnsafe(Math.max(factor * buffer.length, needed));
  buffer.copy(larger, 0, 0, filled);
  return larger;
}
