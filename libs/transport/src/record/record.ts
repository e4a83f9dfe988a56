// A record on the wire (docs/protocol.md §5.1):   length(2, big-endian) ‖ E(16·m) ‖ T(16)
// Its body is E ‖ T.
import { TransportError } from '../errors.js';

export const LENGTH_BYTES = 2;
export const MIN_BODY_BYTES = 32; // one block and the tag
export const MAX_BODY_BYTES = 65_520;
/** The largest plaintext of a record: the body less the tag and one byte of padding. */
export const MAX_INNER_BYTES = MAX_BODY_BYTES - 16 - 1;

/** Cuts a byte stream into sealed record bodies, wherever the network split it: at most one copy a byte, no backlog. */
export class RecordDecoder {
  /** Being filled: a length, then its body. */
  #target: Buffer = Buffer.allocUnsafe(LENGTH_BYTES);
  #filled = 0;
  #inBody = false;

  /** Whether a record has begun and is not complete. */
  get isPartial(): boolean {
    return this.#filled > 0 || this.#inBody;
  }

  /**
   * Yields every record body that `chunk` completes. A body that lies whole in `chunk` is a view of it, not a copy.
   * @throws {TransportError} `ERR_RECORD_LENGTH`, by the length alone.
   */
  *push(chunk: Buffer): Generator<Buffer, void> {
    let used = 0;
    for (;;) {
      const missing = this.#target.length - this.#filled;
      if (this.#filled === 0 && chunk.length - used >= missing) {
        const whole = chunk.subarray(used, used + missing);
        used += missing;
        yield* this.#take(whole);
        continue;
      }
      const copied = chunk.copy(this.#target, this.#filled, used);
      this.#filled += copied;
      used += copied;
      if (this.#filled < this.#target.length) return;
      yield* this.#take(this.#target);
    }
  }

  *#take(part: Buffer): Generator<Buffer, void> {
    if (this.#inBody) {
      this.#expect(LENGTH_BYTES, false);
      yield part;
      return;
    }
    this.#expect(checkLength(part.readUInt16BE(0)), true);
  }

  #expect(bytes: number, inBody: boolean): void {
    this.#target = Buffer.allocUnsafe(bytes); // nobody sees it before it is full
    this.#filled = 0;
    this.#inBody = inBody;
  }
}

function checkLength(length: number): number {
  if (length >= MIN_BODY_BYTES && length <= MAX_BODY_BYTES && length % 16 === 0) return length;
  throw new TransportError('ERR_RECORD_LENGTH', `A record announces a length of ${length} bytes`);
}
