// A128CBC-HS256 as docs/protocol.md §3 writes it, by Node's own functions and with nothing kept from one call to the next:
// what the fast way of the library is held to.
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';

const MAC_KEY_BYTES = 16;
const TAG_BYTES = 16;

/** E ‖ T. `key` is MAC(16) ‖ ENC(16). */
export function sealPlain(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-128-cbc', key.subarray(MAC_KEY_BYTES), iv);
  return authenticatePlain(key, iv, aad, Buffer.concat([cipher.update(plaintext), cipher.final()]));
}

/** E ‖ T for an E that was made some other way. */
export function authenticatePlain(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Buffer {
  return Buffer.concat([ciphertext, tagOf(key, iv, aad, ciphertext)]);
}

/** @throws {Error} */
export function openPlain(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Buffer {
  const ciphertext = sealed.subarray(0, sealed.length - TAG_BYTES);
  const tag = tagOf(key, iv, aad, ciphertext);
  if (!tag.equals(sealed.subarray(-TAG_BYTES))) throw new Error('The tag is wrong');
  const decipher = createDecipheriv('aes-128-cbc', key.subarray(MAC_KEY_BYTES), iv);
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
}

/** SEAL(k, n, A, P), for an n of up to 2^53. */
export function sealPlainAt(key: Uint8Array, n: number, ad: Uint8Array, plaintext: Uint8Array): Buffer {
  const keys = expandPlain(key);
  return sealPlain(keys.subarray(0, 32), ivPlain(keys.subarray(32), BigInt(n)), ad, plaintext);
}

/** IV(n). */
export function ivPlain(ivKey: Uint8Array, n: bigint): Buffer {
  const block = Buffer.alloc(16);
  block.writeBigUInt64BE(n, 8);
  return createCipheriv('aes-128-ecb', ivKey, null).setAutoPadding(false).update(block);
}

/** HKDF-Expand(k, "keys", 48): MAC ‖ ENC ‖ IVK. */
function expandPlain(key: Uint8Array): Buffer {
  const one = createHmac('sha256', key).update('keys').update(Uint8Array.of(1)).digest();
  const two = createHmac('sha256', key).update(one).update('keys').update(Uint8Array.of(2)).digest();
  return Buffer.concat([one, two]).subarray(0, 48);
}

function tagOf(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Buffer {
  const aadBits = Buffer.alloc(8);
  aadBits.writeBigUInt64BE(BigInt(aad.length) * 8n);
  const hmac = createHmac('sha256', key.subarray(0, MAC_KEY_BYTES));
  return hmac.update(aad).update(iv).update(ciphertext).update(aadBits).digest().subarray(0, TAG_BYTES);
}
