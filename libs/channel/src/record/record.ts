// A record on the wire (docs/protocol.md §5.1):   length(2, big-endian) ‖ body
//
//   body = SEAL(k, n, A, inner)                    A = u64be(n) ‖ length
import { A128CBC_HS256 } from '@sealwire/crypto/internal';

import { TransportError } from '../errors.js';

/** The cipher suite of version 1, for the handshake and the records. */
export const SUITE = A128CBC_HS256;

export const LENGTH_BYTES = 2;
const MIN_BODY_BYTES = SUITE.sealedBytes(0);
/** 65,520: the largest number of whole blocks that the length field can express. */
export const MAX_BODY_BYTES = 0xffff - (0xffff % SUITE.blockBytes);
/** The largest plaintext of a record. */
export const MAX_INNER_BYTES = SUITE.maxPlaintextBytes(MAX_BODY_BYTES);
const TWO_TO_32 = 0x1_0000_0000;
const NOTHING: Buffer = Buffer.alloc(0);

// Shared by the process: it is used before it is written again.
const ad = Buffer.alloc(8 + LENGTH_BYTES);

/** Returns the length of the record of a plaintext. */
export function recordBytes(innerBytes: number): number {
  return LENGTH_BYTES + SUITE.sealedBytes(innerBytes);
}

/** Returns A, valid until the next call. */
export function associatedData(n: number, bodyBytes: number): Buffer {
  ad.writeUInt16BE(Math.floor(n / TWO_TO_32), 2);
  ad.writeUInt32BE(n % TWO_TO_32, 4);
  ad.writeUInt16BE(bodyBytes, 8);
  return ad;
}

/** Splits a byte stream into sealed record bodies. Copies each byte at most once, and keeps at most one record. */
export class RecordDecoder {
  #chunk = NOTHING;
  #at = 0;
  /** The length field of the current record, and how much of it has arrived. */
  #length = 0;
  #lengthBytes = 0;
  /** The body of the current record, if it arrives in pieces. */
  #body: Buffer | undefined;
  #filled = 0;

  /** Whether only a part of a record has arrived. */
  get isPartial(): boolean {
    return this.#lengthBytes > 0;
  }

  /** Takes a received chunk, which must stay valid until {@link next} returns undefined. */
  push(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * Returns the next record body; undefined if the chunk completes no other. A body that is entirely in the chunk is a
   * view of it.
   *
   * @throws {TransportError} `ERR_RECORD_LENGTH`, as soon as the length field has arrived.
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
    throw new TransportError(
      'ERR_RECORD_LENGTH',
      `Invalid record length: ${length}; expected a multiple of ${SUITE.blockBytes} from ${MIN_BODY_BYTES} to ${MAX_BODY_BYTES}`,
    );
  }

  /** @returns The body, if it is complete. */
  #append(chunk: Buffer, from: number): Buffer | undefined {
    const body = (this.#body ??= Buffer.allocUnsafe(this.#length)); // not read before it is full
    this.#filled += chunk.copy(body, this.#filled, from);
    return this.#filled === body.length ? body : undefined;
  }
}
