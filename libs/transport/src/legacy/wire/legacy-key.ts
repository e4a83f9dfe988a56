import { inspect } from 'node:util';

import { TransportError } from '@sealwire/channel';
import { CryptoError, decryptAes128Cbc, encryptAes128Cbc, keyId } from '@sealwire/crypto';

const AES_KEY_BYTES = 16;

/**
 * The key of the legacy wire (docs/protocol.md §9). A key file of 32 bytes is an AES key, then the single IV of all
 * messages. It is never printed by accident: `util.inspect`, `JSON.stringify` and `String` show only the id.
 */
export class LegacyKey {
  /** The id that the same file would have on the channel: 16 hexadecimal digits. */
  readonly id: string;
  readonly #key: Uint8Array;
  readonly #iv: Uint8Array;

  private constructor(file: Uint8Array) {
    this.id = keyId(file);
    this.#key = Uint8Array.from(file.subarray(0, AES_KEY_BYTES)); // Uint8Array.from copies, Buffer's slice would not
    this.#iv = Uint8Array.from(file.subarray(AES_KEY_BYTES));
    Object.freeze(this);
  }

  /**
   * @param file - 32 bytes of any strength. They are copied, so the caller may overwrite them.
   * @throws {CryptoError} `ERR_KEY_LENGTH`
   */
  static fromBytes(file: Uint8Array): LegacyKey {
    return new LegacyKey(file);
  }

  /** @returns New bytes, 1 to 16 more than `plaintext` has. Equal plaintexts give equal bytes. */
  encrypt(plaintext: Uint8Array): Buffer {
    return toBuffer(encryptAes128Cbc(this.#key, this.#iv, plaintext));
  }

  /**
   * @returns New bytes, which are not authenticated: they may come from an altered ciphertext.
   * @throws {TransportError} `ERR_LEGACY_MALFORMED` - empty, not a multiple of the block size, or bad padding.
   */
  decrypt(ciphertext: Uint8Array): Buffer {
    try {
      return toBuffer(decryptAes128Cbc(this.#key, this.#iv, ciphertext));
    } catch (cause) {
      if (!(cause instanceof CryptoError)) throw cause;
      const message = `Cannot decrypt ${ciphertext.length} bytes: they are not a message that was encrypted with this key`;
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
