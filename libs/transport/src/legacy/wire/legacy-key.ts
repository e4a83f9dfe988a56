import { inspect } from 'node:util';

import { TransportError } from '@sealwire/channel';
import { CryptoError, decryptAes128Cbc, encryptAes128Cbc, keyId } from '@sealwire/crypto';

const AES_KEY_BYTES = 16;

/**
 * The key of the legacy wire (docs/protocol.md §9): a key file of 32 bytes is an AES key and, behind it, the one IV of
 * all messages. It cannot be printed by accident: `util.inspect`, `JSON.stringify` and `String` show its id.
 */
export class LegacyKey {
  /** What the same file would be called on the channel: 16 hexadecimal digits. */
  readonly id: string;
  readonly #key: Uint8Array;
  readonly #iv: Uint8Array;

  private constructor(file: Uint8Array) {
    this.id = keyId(file);
    this.#key = Uint8Array.from(file.subarray(0, AES_KEY_BYTES)); // a slice of a Buffer is no copy
    this.#iv = Uint8Array.from(file.subarray(AES_KEY_BYTES));
    Object.freeze(this);
  }

  /**
   * @param file - 32 bytes, however weak. Copied: the caller may overwrite them afterwards.
   * @throws {CryptoError} `ERR_KEY_LENGTH`
   */
  static fromBytes(file: Uint8Array): LegacyKey {
    return new LegacyKey(file);
  }

  /** @returns Fresh bytes, 1 to 16 more than `plaintext`. The same ones for the same plaintext, always. */
  encrypt(plaintext: Uint8Array): Buffer {
    return toBuffer(encryptAes128Cbc(this.#key, this.#iv, plaintext));
  }

  /**
   * @returns Fresh bytes. Whoever altered the ciphertext altered them.
   * @throws {TransportError} `ERR_LEGACY_MALFORMED` - nothing at all, no whole blocks, or bad padding.
   */
  decrypt(ciphertext: Uint8Array): Buffer {
    try {
      return toBuffer(decryptAes128Cbc(this.#key, this.#iv, ciphertext));
    } catch (cause) {
      if (!(cause instanceof CryptoError)) throw cause;
      const message = `${ciphertext.length} bytes that are no message under this key`;
      throw new TransportError('ERR_LEGACY_MALFORMED', message, { cause });
    }
  }

  toString(): string {
    return `LegacyKey(${this.id})`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

function toBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
