// A128CBC-HS256, RFC 7518 §5.2 (docs/protocol.md §3): encrypt-then-MAC.
//
//   K = MAC(16) ‖ ENC(16)
//   E = AES-128-CBC(ENC, IV, plaintext ‖ PKCS #7 padding)
//   T = the first 16 bytes of HMAC-SHA-256(MAC, A ‖ IV ‖ E ‖ u64be(bits of A))
import { CryptoError } from '../errors.js';
import { BLOCK_BYTES, ciphertextBytes } from './aes-cbc.js';
import { CbcDecryptor, CbcEncryptor } from './cbc-chain.js';
import { HmacTag, TAG_BYTES } from './hmac.js';
import { release } from './release.js';
import { equalBytes } from './secret-bytes.js';

const KEY_BYTES = 32;
const MAC_KEY_BYTES = 16;

/** Seals many messages under one key. Keeps values derived from the key, not the key. */
export class SealingKey {
  readonly #tag: HmacTag;
  readonly #cbc: CbcEncryptor;

  /**
   * @param key - 32 bytes: the MAC key, then the encryption key. The caller may overwrite them afterwards.
   * @throws {CryptoError} `ERR_KEY_LENGTH`
   */
  constructor(key: Uint8Array) {
    checkKeyLength(key);
    this.#tag = new HmacTag(key.subarray(0, MAC_KEY_BYTES));
    this.#cbc = new CbcEncryptor(key.subarray(MAC_KEY_BYTES));
  }

  /**
   * Writes ciphertext(16·m) ‖ tag(16) to `target`, which must hold {@link sealedBytes} from `offset` on.
   *
   * @param iv - 16 unpredictable bytes, used only once under this key.
   * @param plaintext - Its first `bytes` bytes are sealed. It must have 16 more bytes, and is overwritten.
   */
  sealInto(target: Buffer, offset: number, iv: Uint8Array, aad: Uint8Array, plaintext: Buffer, bytes: number): void {
    const ciphertext = this.#cbc.encrypt(iv, padPkcs7(plaintext, bytes));
    target.set(ciphertext, offset);
    this.#tag.write(target, offset + ciphertext.length, aad, iv, ciphertext);
    release(ciphertext);
  }

  /** Overwrites the key as far as possible. The object must not be used afterwards. */
  wipe(): void {
    this.#tag.wipe();
  }
}

/** Opens many messages under one key. */
export class OpeningKey {
  readonly #tag: HmacTag;
  readonly #cbc: CbcDecryptor;
  readonly #expected = Buffer.alloc(TAG_BYTES);

  /**
   * @param key - 32 bytes: the MAC key, then the encryption key. The caller may overwrite them afterwards.
   * @throws {CryptoError} `ERR_KEY_LENGTH`
   */
  constructor(key: Uint8Array) {
    checkKeyLength(key);
    this.#tag = new HmacTag(key.subarray(0, MAC_KEY_BYTES));
    this.#cbc = new CbcDecryptor(key.subarray(MAC_KEY_BYTES));
  }

  /**
   * Verifies the tag, in constant time, before anything is decrypted.
   *
   * @param iv - 16 bytes.
   * @returns The plaintext, in a fresh buffer.
   * @throws {CryptoError} `ERR_OPEN_FAILED` - as {@link openA128CbcHs256}. The failure does not affect the next
   *   message.
   */
  open(iv: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Buffer {
    const ciphertext = sealed.subarray(0, sealed.length - TAG_BYTES);
    if (!this.verify(iv, aad, ciphertext, sealed.subarray(ciphertext.length))) throw openFailed();
    return this.decrypt(iv, ciphertext);
  }

  /**
   * Returns whether the tag is genuine; compares in constant time. Computes no tag if the ciphertext is empty or does
   * not consist of whole blocks.
   */
  verify(iv: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): boolean {
    if (ciphertext.length === 0 || ciphertext.length % BLOCK_BYTES !== 0) return false;
    this.#tag.write(this.#expected, 0, aad, iv, ciphertext);
    const isGenuine = equalBytes(this.#expected, tag);
    this.#expected.fill(0); // with the correct tag, an attacker could make the forgery genuine
    return isGenuine;
  }

  /**
   * @param ciphertext - Verified by {@link verify}. With any other, the failure would be a padding oracle.
   * @returns The plaintext, in a fresh buffer.
   * @throws {CryptoError} `ERR_OPEN_FAILED` - bad padding under a genuine tag, made by a holder of the key.
   */
  decrypt(iv: Uint8Array, ciphertext: Uint8Array): Buffer {
    return withoutPadding(this.#cbc.decrypt(iv, ciphertext));
  }

  /** Overwrites the key as far as possible. The object must not be used afterwards. */
  wipe(): void {
    this.#tag.wipe();
  }
}

/** Returns the length of the sealed form of a plaintext: 17 to 32 bytes more. */
export function sealedBytes(plaintextBytes: number): number {
  return ciphertextBytes(plaintextBytes) + TAG_BYTES;
}

function padPkcs7(plaintext: Buffer, bytes: number): Buffer {
  const end = ciphertextBytes(bytes);
  for (let at = bytes; at < end; at++) plaintext[at] = end - bytes; // for a few bytes cheaper than `fill`
  return plaintext.subarray(0, end);
}

/**
 * Called only after the tag was verified. Bad padding then comes from a holder of the key, and fails like a bad tag.
 */
function withoutPadding(padded: Buffer): Buffer {
  const padding = padded[padded.length - 1] ?? 0;
  if (padding === 0 || padding > BLOCK_BYTES) throw openFailed();
  const end = padded.length - padding;
  for (let at = end; at < padded.length; at++) if (padded[at] !== padding) throw openFailed();
  return padded.subarray(0, end);
}

function checkKeyLength(key: Uint8Array): void {
  if (key.length === KEY_BYTES) return;
  throw new CryptoError('ERR_KEY_LENGTH', `Invalid A128CBC-HS256 key: ${key.length} bytes; expected ${KEY_BYTES}`);
}

function openFailed(): CryptoError {
  return new CryptoError(
    'ERR_OPEN_FAILED',
    'Authentication failed: wrong key, IV or associated data, or altered bytes',
  );
}
