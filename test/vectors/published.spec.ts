// The known answers that the standards themselves print.
import { createCipheriv } from 'node:crypto';
import {
  decryptAes128Cbc,
  encryptAes128Cbc,
  hkdfExpand,
  hkdfExtract,
  hmacSha256,
  openA128CbcHs256,
  sealA128CbcHs256,
} from '@sealwire/crypto';
import { describe, expect, it } from 'vitest';

import nist from './nist-sp800-38a.json' with { type: 'json' };
import rfc4231 from './rfc4231.json' with { type: 'json' };
import rfc5869 from './rfc5869.json' with { type: 'json' };
import rfc7518 from './rfc7518-b1.json' with { type: 'json' };

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The block of padding that follows whole blocks, by the definition of CBC: AES(padding ⊕ the last block). */
function paddingBlock(key: Buffer, lastBlock: Buffer): string {
  const block = lastBlock.map((byte) => byte ^ 16);
  return createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block).toString('hex');
}

describe('AES-128-CBC, NIST SP 800-38A', () => {
  const [key, iv] = [hex(nist.key), hex(nist.iv)];
  // The standard pads nothing; ours adds the block that PKCS #7 wants after whole blocks.
  const padded = nist.ciphertext + paddingBlock(key, hex(nist.ciphertext).subarray(-16));

  it('F.2.1: encrypts to the ciphertext of the standard', () => {
    expect(toHex(encryptAes128Cbc(key, iv, hex(nist.plaintext)))).toBe(padded);
  });

  it('F.2.2: decrypts it to the plaintext of the standard', () => {
    expect(toHex(decryptAes128Cbc(key, iv, hex(padded)))).toBe(nist.plaintext);
  });
});

describe('A128CBC-HS256, RFC 7518 B.1', () => {
  const [key, iv, aad] = [hex(rfc7518.key), hex(rfc7518.iv), hex(rfc7518.aad)];
  const sealed = rfc7518.ciphertext + rfc7518.tag;

  it('seals to the ciphertext and the tag of the standard', () => {
    expect(toHex(sealA128CbcHs256(key, iv, aad, hex(rfc7518.plaintext)))).toBe(sealed);
  });

  it('opens them to the plaintext of the standard', () => {
    expect(toHex(openA128CbcHs256(key, iv, aad, hex(sealed)))).toBe(rfc7518.plaintext);
  });
});

describe('HKDF-SHA-256, RFC 5869', () => {
  it.each(rfc5869.cases)('$comment', ({ ikm, salt, info, bytes, prk, okm }) => {
    const extracted = hkdfExtract(hex(salt), hex(ikm));
    expect(toHex(extracted)).toBe(prk);
    expect(toHex(hkdfExpand(extracted, hex(info), bytes))).toBe(okm);
  });
});

describe('HMAC-SHA-256, RFC 4231', () => {
  it.each(rfc4231.cases)('$comment', ({ key, message, mac }) => {
    expect(toHex(hmacSha256(hex(key), hex(message))).slice(0, mac.length)).toBe(mac);
  });
});
