// A128CBC-HS256 for many messages under one key (docs/protocol.md §3): byte for byte what sealA128CbcHs256 and
// openA128CbcHs256 do, in a quarter of their time for small messages.
import { checkKeyLength, MAC_KEY_BYTES, openFailed } from './a128cbc-hs256.js';
import { BLOCK_BYTES, ciphertextBytes } from './aes-cbc.js';
import { CbcDecryptor, CbcEncryptor } from './cbc-chain.js';
import { HmacTag, TAG_BYTES } from './hmac-tag.js';
import { release } from './release.js';
import { equalBytes } from './secret-bytes.js';

/** Seals under one key. Keeps what it derives from the key, not the key. */
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
   * @param iv - 16 bytes that no attacker could have predicted and that are used once under this key.
   * @param plaintext - Its first `bytes` bytes are sealed. It must have 16 bytes more, and is overwritten.
   */
  sealInto(target: Buffer, offset: number, iv: Uint8Array, aad: Uint8Array, plaintext: Buffer, bytes: number): void {
    const ciphertext = this.#cbc.encrypt(iv, padPkcs7(plaintext, bytes));
    target.set(ciphertext, offset);
    this.#tag.write(target, offset + ciphertext.length, aad, iv, ciphertext);
    release(ciphertext);
  }

  /** Overwrites what can be overwritten of the key, which is of no use after that. */
  wipe(): void {
    this.#tag.wipe();
  }
}

/** Opens under one key what was sealed under it. */
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
   * @param iv - 16 bytes.
   * @returns The plaintext, in a fresh buffer.
   * @throws {CryptoError} `ERR_OPEN_FAILED` - altered, truncated, or sealed with another key, `iv` or `aad`; which of
   *   them is not told, on purpose. The next message can be opened as if this one had not come.
   */
  open(iv: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Buffer {
    const ciphertextEnd = sealed.length - TAG_BYTES;
    if (ciphertextEnd < BLOCK_BYTES || ciphertextEnd % BLOCK_BYTES !== 0) throw openFailed();
    const ciphertext = sealed.subarray(0, ciphertextEnd);
    this.#tag.write(this.#expected, 0, aad, iv, ciphertext);
    const isGenuine = equalBytes(this.#expected, sealed.subarray(ciphertextEnd));
    this.#expected.fill(0); // the right tag of a forgery would make it genuine
    if (!isGenuine) throw openFailed();
    return withoutPadding(this.#cbc.decrypt(iv, ciphertext));
  }

  /** Overwrites what can be overwritten of the key, which is of no use after that. */
  wipe(): void {
    this.#tag.wipe();
  }
}

/** How long the sealed form of so many bytes is: 17 to 32 bytes more. */
export function sealedBytes(plaintextBytes: number): number {
  return ciphertextBytes(plaintextBytes) + TAG_BYTES;
}

function padPkcs7(plaintext: Buffer, bytes: number): Buffer {
  const end = ciphertextBytes(bytes);
  for (let at = bytes; at < end; at++) plaintext[at] = end - bytes; // less than `fill` costs for so few
  return plaintext.subarray(0, end);
}

/** Only under a good tag: bad padding means that a holder of the key sealed it so, and it fails like everything else. */
function withoutPadding(padded: Buffer): Buffer {
  const padding = padded[padded.length - 1] ?? 0;
  if (padding === 0 || padding > BLOCK_BYTES) throw openFailed();
  const end = padded.length - padding;
  for (let at = end; at < padded.length; at++) if (padded[at] !== padding) throw openFailed();
  return padded.subarray(0, end);
}
