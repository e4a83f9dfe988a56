import { randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { deriveKeySchedule, keyId } from '../index.js';

describe('deriveKeySchedule', () => {
  it('derives values that have nothing in common with each other and with the key', () => {
    const key = randomBytes(32);
    const { psk, jwe, keyId: id } = deriveKeySchedule(key);
    expect([psk.length, jwe.length, id.length]).toEqual([32, 32, 8]);
    const heads = [key, psk, jwe, id].map((bytes) => Buffer.from(bytes.subarray(0, 8)).toString('hex'));
    expect(new Set(heads).size).toBe(4);
  });

  it('derives another id when any bit of the key differs', () => {
    const key = randomBytes(32);
    const ids = new Set([keyId(key)]);
    for (let bit = 0; bit < 256; bit++) {
      const other = key.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      ids.add(keyId(other));
    }
    expect(ids.size).toBe(257);
  });

  it('derives the same from a view as from a copy', () => {
    const key = randomBytes(32);
    const view = Buffer.concat([Buffer.alloc(5), key, Buffer.alloc(5)]).subarray(5, 37);
    expect(keyId(view)).toBe(keyId(Uint8Array.from(key)));
  });

  it.each([0, 16, 31, 33, 64])('refuses a key of %i bytes', (size) => {
    const failure = expect.objectContaining({ code: 'ERR_KEY_LENGTH' });
    expect(() => deriveKeySchedule(randomBytes(size))).toThrow(failure);
    expect(() => keyId(randomBytes(size))).toThrow(failure);
  });
});

describe('keyId', () => {
  it('is the id of the schedule as 16 hexadecimal digits', () => {
    const key = randomBytes(32);
    expect(keyId(key)).toBe(Buffer.from(deriveKeySchedule(key).keyId).toString('hex'));
    expect(keyId(key)).toMatch(/^[0-9a-f]{16}$/);
  });
});
