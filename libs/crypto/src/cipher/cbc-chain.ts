// AES-128-CBC for many messages under one key, with one cipher object, because creating one costs more than encrypting
// a small message.
//
// The object chains across messages: it XORs the first block of a message with the last ciphertext block of the
// previous message, but CBC needs the IV there. XORing the first block with both beforehand cancels the old block and
// adds the IV, which is exactly CBC under that IV (NIST SP 800-38A §6.2).
import { createCipheriv, createDecipheriv } from 'node:crypto';

import { BLOCK_BYTES } from './aes-cbc.js';

const ZERO_IV = new Uint8Array(BLOCK_BYTES);

export class CbcEncryptor {
  readonly #cipher;
  readonly #last = Buffer.alloc(BLOCK_BYTES);

  /** @param key - 16 bytes. */
  constructor(key: Uint8Array) {
    this.#cipher = createCipheriv('aes-128-cbc', key, ZERO_IV).setAutoPadding(false);
  }

  /**
   * @param padded - One or more whole blocks. The first one is overwritten.
   * @returns The ciphertext, of the same length, in a fresh buffer.
   */
  encrypt(iv: Uint8Array, padded: Buffer): Buffer {
    mixIntoFirstBlock(padded, iv, this.#last);
    const ciphertext = this.#cipher.update(padded);
    copyLastBlock(this.#last, ciphertext);
    return ciphertext;
  }
}

export class CbcDecryptor {
  readonly #decipher;
  readonly #last = Buffer.alloc(BLOCK_BYTES);

  /** @param key - 16 bytes. */
  constructor(key: Uint8Array) {
    this.#decipher = createDecipheriv('aes-128-cbc', key, ZERO_IV).setAutoPadding(false);
  }

  /**
   * @param ciphertext - One or more whole blocks.
   * @returns The plaintext with its padding, of the same length, in a fresh buffer.
   */
  decrypt(iv: Uint8Array, ciphertext: Uint8Array): Buffer {
    const padded = this.#decipher.update(ciphertext);
    mixIntoFirstBlock(padded, iv, this.#last);
    copyLastBlock(this.#last, ciphertext);
    return padded;
  }
}

function mixIntoFirstBlock(target: Buffer, iv: Uint8Array, last: Buffer): void {
  for (let at = 0; at < BLOCK_BYTES; at++) target[at] = (target[at] ?? 0) ^ (iv[at] ?? 0) ^ (last[at] ?? 0);
}

/** Copies the last block in a loop, which costs less for 16 bytes than a view and a call. */
function copyLastBlock(target: Buffer, blocks: Uint8Array): void {
  const start = blocks.length - BLOCK_BYTES;
  for (let at = 0; at < BLOCK_BYTES; at++) target[at] = blocks[start + at] ?? 0;
}
