import { createHmac, hkdfSync, randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { hkdfExpand, hkdfExtract, hmacSha256 } from '../index.js';

describe('hmacSha256', () => {
  it('accepts its message in any number of parts', () => {
    const [key, message] = [randomBytes(20), randomBytes(100)];
    const whole = createHmac('sha256', key).update(message).digest();
    expect(Buffer.from(hmacSha256(key, message))).toEqual(whole);
    expect(Buffer.from(hmacSha256(key, message.subarray(0, 1), message.subarray(1, 60), message.subarray(60)))).toEqual(
      whole,
    );
    expect(Buffer.from(hmacSha256(key))).toEqual(createHmac('sha256', key).digest());
  });

  it.each([0, 1, 32, 63, 64, 65, 200])('agrees with the HMAC of Node under a key of %i bytes', (keyBytes) => {
    const key = randomBytes(keyBytes);
    for (const size of [0, 1, 55, 64, 511, 512, 513, 70_000]) {
      const message = randomBytes(size);
      const expected = createHmac('sha256', key).update(message).digest();
      expect(Buffer.from(hmacSha256(key, message)), `${size} bytes`).toEqual(expected);
      expect(Buffer.from(hmacSha256(key, message.subarray(0, 20), message.subarray(20)))).toEqual(expected);
    }
  });

  it('keeps no part of an earlier key or message that was longer', () => {
    hmacSha256(Buffer.alloc(64, 0xaa), Buffer.alloc(512, 0xbb));
    const [key, message] = [randomBytes(3), randomBytes(2)];
    expect(Buffer.from(hmacSha256(key, message))).toEqual(createHmac('sha256', key).update(message).digest());
  });

  it('returns memory of its own', () => {
    expect(hmacSha256(randomBytes(32), randomBytes(5)).buffer.byteLength).toBe(32);
  });
});

describe('hkdfExpand', () => {
  it.each([1, 31, 32, 33, 48, 64, 65, 8160])('agrees with the HKDF of Node on %i bytes', (size) => {
    const [ikm, salt, info] = [randomBytes(22), randomBytes(13), randomBytes(10)];
    const output = hkdfExpand(hkdfExtract(salt, ikm), info, size);
    expect(Buffer.from(output)).toEqual(Buffer.from(hkdfSync('sha256', ikm, salt, info, size)));
    expect(output.buffer.byteLength).toBe(size);
  });

  it('counts a string as its UTF-8 bytes', () => {
    const prk = randomBytes(32);
    expect(hkdfExpand(prk, 'clé', 40)).toEqual(hkdfExpand(prk, Buffer.from('clé'), 40));
  });

  it.each([-1, 0, 1.5, 8161, Number.NaN, Number.POSITIVE_INFINITY])('refuses to derive %d bytes', (size) => {
    expect(() => hkdfExpand(randomBytes(32), 'x', size)).toThrow(expect.objectContaining({ code: 'ERR_HKDF_LENGTH' }));
  });

  it.each([0, 16, 31])('refuses a pseudorandom key of %i bytes', (size) => {
    expect(() => hkdfExpand(randomBytes(size), 'x', 32)).toThrow(expect.objectContaining({ code: 'ERR_KEY_LENGTH' }));
  });
});
