// JSON Web Encryption with "enc": "A128CBC-HS256" and a key shared directly: `jose` opens what we seal, and the reverse.
import { createHash } from 'node:crypto';
import { generateKey, openA128CbcHs256, sealA128CbcHs256 } from '@sealwire/crypto';
import { base64url, CompactEncrypt, compactDecrypt, FlattenedEncrypt, flattenedDecrypt } from 'jose';
import { describe, expect, it } from 'vitest';

const HEADER = { alg: 'dir', enc: 'A128CBC-HS256' } as const;
const TAG_BYTES = 16;
const SIZES = [0, 1, 15, 16, 17, 31, 32, 33, 1000, 16_384, 65_503];

const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** Bytes that are the same in every run. */
function plaintextOf(size: number): Uint8Array {
  const block = createHash('sha256').update(`plaintext of ${size}`).digest();
  return Uint8Array.from(Buffer.alloc(size, block));
}

describe('JWE A128CBC-HS256', () => {
  const key = generateKey();
  const iv = generateKey().subarray(16);

  it.each(SIZES)('jose opens %i bytes that we sealed', async (size) => {
    const plaintext = plaintextOf(size);
    const header = base64url.encode(JSON.stringify(HEADER));
    const sealed = sealA128CbcHs256(key, iv, ascii(header), plaintext);
    const parts = [iv, sealed.subarray(0, -TAG_BYTES), sealed.subarray(-TAG_BYTES)];
    const jwe = [header, '', ...parts.map((part) => base64url.encode(part))].join('.');
    const opened = await compactDecrypt(jwe, key);
    expect(opened.protectedHeader).toEqual(HEADER);
    expect(opened.plaintext).toEqual(plaintext);
  });

  it.each(SIZES)('we open %i bytes that jose sealed', async (size) => {
    const plaintext = plaintextOf(size);
    const jwe = await new CompactEncrypt(plaintext).setProtectedHeader(HEADER).encrypt(key);
    const [header = '', encryptedKey, ...parts] = jwe.split('.');
    const [joseIv = iv, ciphertext = iv, tag = iv] = parts.map((part) => base64url.decode(part));
    expect(encryptedKey).toBe('');
    const sealed = Buffer.concat([ciphertext, tag]);
    expect(openA128CbcHs256(key, joseIv, ascii(header), sealed)).toEqual(plaintext);
  });

  it('agrees on other associated data', async () => {
    const jwe = await new FlattenedEncrypt(plaintextOf(40))
      .setProtectedHeader(HEADER)
      .setAdditionalAuthenticatedData(plaintextOf(25))
      .encrypt(key);
    const sealed = Buffer.concat([base64url.decode(jwe.ciphertext), base64url.decode(jwe.tag ?? '')]);
    const aad = ascii(`${jwe.protected}.${jwe.aad}`);
    expect(openA128CbcHs256(key, base64url.decode(jwe.iv ?? ''), aad, sealed)).toEqual(plaintextOf(40));
    const ours = sealA128CbcHs256(key, iv, aad, plaintextOf(41));
    const rebuilt = {
      ...jwe,
      iv: base64url.encode(iv),
      ciphertext: base64url.encode(ours.subarray(0, -TAG_BYTES)),
      tag: base64url.encode(ours.subarray(-TAG_BYTES)),
    };
    expect((await flattenedDecrypt(rebuilt, key)).plaintext).toEqual(plaintextOf(41));
  });

  it('agrees that an altered tag opens nothing', async () => {
    const header = base64url.encode(JSON.stringify(HEADER));
    const sealed = sealA128CbcHs256(key, iv, ascii(header), plaintextOf(20));
    const altered = sealed.map((byte, at) => (at === sealed.length - 1 ? byte ^ 1 : byte));
    const parts = [iv, altered.subarray(0, -TAG_BYTES), altered.subarray(-TAG_BYTES)];
    const jwe = [header, '', ...parts.map((part) => base64url.encode(part))].join('.');
    await expect(compactDecrypt(jwe, key)).rejects.toMatchObject({ code: 'ERR_JWE_DECRYPTION_FAILED' });
    expect(() => openA128CbcHs256(key, iv, ascii(header), altered)).toThrow(
      expect.objectContaining({ code: 'ERR_OPEN_FAILED' }),
    );
  });
});
