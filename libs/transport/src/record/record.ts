// A record on the wire (docs/protocol.md §5.1):   length(2, big-endian) ‖ E(16·m) ‖ T(16)
// Its body is E ‖ T.
import { TransportError } from '../errors.js';

export const LENGTH_BYTES = 2;
export const MIN_BODY_BYTES = 32; // one block and the tag
export const MAX_BODY_BYTES = 65_520;
/** The largest plaintext of a record: the body less the tag and one byte of padding. */
export const MAX_INNER_BYTES = MAX_BODY_BYTES - 16 - 1;

const NOTHING: Buffer = Buffer.alloc(0);

/** Cuts a byte stream into sealed record bodies, wherever the network split it: at most one copy a byte, no backlog. */
export class RecordDecoder {
  #chunk = NOTHING;
  #at = 0;
  /** Of the record that has begun, as far as it has come. */
  #length = 0;
  #lengthBytes = 0;
  /** Its body, if that came in pieces. */
  #body: Buffer | undefined;
  #filled = 0;

  /** Whether a record has begun and is not complete. */
  get isPartial(): boolean {
    return this.#lengthBytes > 0;
  }

  /** Takes what has come; {@link next} gives the records that it completes. Valid until there is none left. */
  push(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * The next record body; undefined if the chunk completes no further one. A body that lies whole in the chunk is a view of
   * it, not a copy.
   *
   * @throws {TransportError} `ERR_RECORD_LENGTH`, by the length alone.
   */
  next(): Buffer | undefined {
    const chunk = this.#chunk;
    while (this.#at < chunk.length) {
      const at = this.#at;
      if (this.#lengthBytes < LENGTH_BYTES) {
        this.#readLengthByte(chunk.readUInt8(at));
        this.#at += 1;
        continue;
      }
      const missing = this.#length - this.#filled;
      const isWhole = this.#filled === 0 && chunk.length - at >= missing;
      const body = isWhole ? chunk.subarray(at, at + missing) : this.#append(chunk, at);
      if (body === undefined) break;
      this.#at += missing;
      this.#reset();
      return body;
    }
    this.#chunk = NOTHING;
    return undefined;
  }

  #readLengthByte(byte: number): void {
    this.#length = this.#length * 256 + byte;
    this.#lengthBytes += 1;
    if (this.#lengthBytes === LENGTH_BYTES) checkLength(this.#length);
  }

  /** @returns The body, if it is complete. */
  #append(chunk: Buffer, from: number): Buffer | undefined {
    const body = (this.#body ??= Buffer.allocUnsafe(this.#length)); // not read before it is full
    this.#filled += chunk.copy(body, this.#filled, from);
    return this.#filled === body.length ? body : undefined;
  }

  #reset(): void {
    this.#length = this.#lengthBytes = this.#filled = 0;
    this.#body = undefined;
  }
}

function checkLength(length: number): void {
  if (length >= MIN_BODY_BYTES && length <= MAX_BODY_BYTES && length % 16 === 0) return;
  throw new TransportError('ERR_RECORD_LENGTH', `A record announces a length of ${length} bytes`);
}
