// What Node gives: AES-128-CBC and HMAC-SHA-256, one after the other, over the bytes that A128CBC-HS256 takes. It is the
// least that anything built from these two can do without objects that live longer than a message.
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';

const AAD_BITS = Buffer.alloc(8);
const TAG_BYTES = 16;

export interface Keys {
  readonly mac: Buffer;
  readonly enc: Buffer;
  readonly iv: Buffer;
  readonly aad: Buffer;
}

/** @returns The tag. Nothing is put together: that is for whoever builds on it. */
export function encryptThenMac({ mac, enc, iv, aad }: Keys, plaintext: Buffer): Buffer {
  const cipher = createCipheriv('aes-128-cbc', enc, iv);
  const head = cipher.update(plaintext);
  const tail = cipher.final();
  return createHmac('sha256', mac).update(aad).update(iv).update(head).update(tail).update(AAD_BITS).digest();
}

/** @returns The plaintext but for its last block; the tag is computed and compared with nothing. */
export function macThenDecrypt({ mac, enc, iv, aad }: Keys, sealed: Buffer): Buffer {
  const ciphertext = sealed.subarray(0, -TAG_BYTES);
  createHmac('sha256', mac).update(aad).update(iv).update(ciphertext).update(AAD_BITS).digest();
  const decipher = createDecipheriv('aes-128-cbc', enc, iv);
  const plaintext = decipher.update(ciphertext);
  decipher.final();
  return plaintext;
}
