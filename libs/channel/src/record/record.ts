// A record on the wire (docs/protocol.md §5.1):   length(2, big-endian) ‖ body
//
//   body = SEAL(k, n, A, inner)                    A = u64be(n) ‖ length
import { A128CBC_HS256 } from '@sealwire/crypto/internal';

import { TransportError } from '../errors.js';

/** The cipher suite of version 1, of its handshake and of its records. */
export const SUITE = A128CBC_HS256;

export const LENGTH_BYTES = 2;
const MIN_BODY_BYTES = SUITE.sealedBytes(0);
/** 65,520: whole blocks, as far as the length field can say. */
export const MAX_BODY_BYTES = 0xffff - (0xffff % SUITE.blockBytes);
/** The largest plaintext of a record. */
export const MAX_INNER_BYTES = SUITE.maxPlaintextBytes(MAX_BODY_BYTES);
const TWO_TO_32 = 0x1_0000_0000;
const NOTHING: Buffer = Buffer.alloc(0);

// One for the process: it is used up before it is written again.
const ad = Buffer.alloc(8 + LENGTH_BYTES);

/** The length of the record of a plaintext. */
export function recordBytes(innerBytes: number): number {
  return LENGTH_BYTES + SUITE.sealedBytes(innerBytes);
}

/** A, valid until the next call. */
export function associatedData(n: number, bodyBytes: number): Buffer {
  ad.writeUInt16BE(Math.floor(n / TWO_TO_32), 2);
  ad.writeUInt32BE(n % TWO_TO_32, 4);
  ad.writeUInt16BE(bodyBytes, 8);
  return ad;
}

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
      this.#length = this.#lengthBytes = this.#filled = 0;
      this.#body = undefined;
      return body;
    }
    this.#chunk = NOTHING;
    return undefined;
  }

  #readLengthByte(byte: number): void {
    this.#length = this.#length * 256 + byte;
    this.#lengthBytes += 1;
    if (this.#lengthBytes < LENGTH_BYTES) return;
    const length = this.#length;
    if (length >= MIN_BODY_BYTES && length <= MAX_BODY_BYTES && length % SUITE.blockBytes === 0) return;
    throw new TransportError('ERR_RECORD_LENGTH', `A record announces a length of ${length} bytes`);
  }

  /** @returns The body, if it is complete. */
  #append(chunk: Buffer, from: number): Buffer | undefined {
    const body = (this.#body ??= Buffer.allocUnsafe(this.#length)); // not read before it is full
    this.#filled += chunk.copy(body, this.#filled, from);
    return this.#filled === body.length ? body : undefined;
  }
}
