// The cipher suite of the channel (docs/protocol.md §3). It seals under a key of 32 bytes and a counter.
//
//   keys(k)   = HKDF-Expand(k, "keys", 48)   = MAC(16) ‖ ENC(16) ‖ IVK(16)
//   REKEY(k)  = HKDF-Expand(k, "rekey", 32)
import { BLOCK_BYTES } from './aes-cbc.js';
import { hkdfExpand } from './hkdf.js';
import { TAG_BYTES } from './hmac.js';
import { IvSequence } from './iv-sequence.js';
import { OpeningKey, sealedBytes, SealingKey } from './sealing-key.js';
import { wipe } from './secret-bytes.js';

const KEY_BYTES = 32;
const MAC_AND_ENC_BYTES = 32;
const IV_KEY_BYTES = 16;

/** Seals messages in order; each one increments the counter. */
export interface Sealer {
  /**
   * Writes the sealed form to `target`, which must hold {@link CipherSuite.sealedBytes} from `offset` on.
   *
   * @param plaintext - Its first `bytes` bytes are sealed. It must have {@link CipherSuite.paddingRoomBytes} more
   *   bytes, and is overwritten.
   */
  sealInto(target: Buffer, offset: number, ad: Uint8Array, plaintext: Buffer, bytes: number): void;
  /** Overwrites the key as far as possible. Nothing can be sealed afterwards. */
  wipe(): void;
}

/** Opens messages in order; each genuine one increments the counter. */
export interface Opener {
  /**
   * @returns The plaintext, in a fresh buffer.
   * @throws {CryptoError} `ERR_OPEN_FAILED` for every failure.
   */
  open(ad: Uint8Array, sealed: Uint8Array): Buffer;
  /** Overwrites the key as far as possible. Nothing can be opened afterwards. */
  wipe(): void;
}

/** The cipher as the handshake and the records use it. */
export interface CipherSuite {
  /** The name of the cipher in the Noise protocol name. */
  readonly name: string;
  readonly keyBytes: number;
  /** The length of sealed bytes is a multiple of this. */
  readonly blockBytes: number;
  /** Bytes after a plaintext that sealing in place needs for the padding. */
  readonly paddingRoomBytes: number;
  /** Returns the length of the sealed form of a plaintext. */
  sealedBytes(plaintextBytes: number): number;
  /** Returns the length of the longest plaintext whose sealed form has this length. */
  maxPlaintextBytes(sealed: number): number;
  /**
   * @param key - {@link keyBytes}. Read, never kept.
   * @param n - The first counter, below 2^48. A counter must not repeat under one key.
   */
  readonly createSealer: (key: Uint8Array, n: number) => Sealer;
  /** As {@link createSealer}. */
  readonly createOpener: (key: Uint8Array, n: number) => Opener;
  /** Returns the key that follows `key`, in memory of its own. */
  rekey(key: Uint8Array): Buffer;
}

export const A128CBC_HS256: CipherSuite = {
  name: 'A128CBC/HS256',
  keyBytes: KEY_BYTES,
  blockBytes: BLOCK_BYTES,
  paddingRoomBytes: BLOCK_BYTES,
  sealedBytes,
  maxPlaintextBytes: (sealed) => sealed - TAG_BYTES - 1, // one byte of padding
  createSealer: (key, n) => new A128CbcHs256Sealer(key, n),
  createOpener: (key, n) => new A128CbcHs256Opener(key, n),
  rekey: (key) => view(hkdfExpand(key, 'rekey', KEY_BYTES)),
};

class A128CbcHs256Sealer implements Sealer {
  readonly #key: SealingKey;
  readonly #ivs: IvSequence;

  constructor(key: Uint8Array, n: number) {
    const { macAndEnc, ivKey } = expandKey(key);
    this.#key = new SealingKey(macAndEnc);
    this.#ivs = new IvSequence(ivKey, n);
    wipe(macAndEnc, ivKey);
  }

  sealInto(target: Buffer, offset: number, ad: Uint8Array, plaintext: Buffer, bytes: number): void {
    this.#key.sealInto(target, offset, this.#ivs.current, ad, plaintext, bytes);
    this.#ivs.advance();
  }

  wipe(): void {
    this.#key.wipe();
    this.#ivs.wipe();
  }
}

class A128CbcHs256Opener implements Opener {
  readonly #key: OpeningKey;
  readonly #ivs: IvSequence;

  constructor(key: Uint8Array, n: number) {
    const { macAndEnc, ivKey } = expandKey(key);
    this.#key = new OpeningKey(macAndEnc);
    this.#ivs = new IvSequence(ivKey, n);
    wipe(macAndEnc, ivKey);
  }

  open(ad: Uint8Array, sealed: Uint8Array): Buffer {
    const plaintext = this.#key.open(this.#ivs.current, ad, sealed);
    this.#ivs.advance();
    return plaintext;
  }

  wipe(): void {
    this.#key.wipe();
    this.#ivs.wipe();
  }
}

/** keys(k): the keys derived from one key. */
export interface ExpandedKey {
  /** MAC(16) ‖ ENC(16): the key of A128CBC-HS256. */
  readonly macAndEnc: Buffer;
  /** IVK(16): used only for the IVs. */
  readonly ivKey: Buffer;
}

/** @returns Views of one ArrayBuffer of their own, for the caller to {@link wipe}. */
export function expandKey(key: Uint8Array): ExpandedKey {
  const keys = view(hkdfExpand(key, 'keys', MAC_AND_ENC_BYTES + IV_KEY_BYTES));
  return { macAndEnc: keys.subarray(0, MAC_AND_ENC_BYTES), ivKey: keys.subarray(MAC_AND_ENC_BYTES) };
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
