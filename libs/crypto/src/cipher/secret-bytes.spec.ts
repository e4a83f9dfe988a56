import { randomBytes, timingSafeEqual } from 'node:crypto';

import { beforeEach, describe, expect, it, vi } from 'vitest';

import { equalBytes, wipe } from '../index.js';

vi.mock('node:crypto', async (importOriginal) => {
  const crypto = await importOriginal<typeof import('node:crypto')>();
  return { ...crypto, timingSafeEqual: vi.fn<typeof crypto.timingSafeEqual>(crypto.timingSafeEqual) };
});

describe('equalBytes', () => {
  beforeEach(() => {
    vi.clearAllMocks();
  });

  it('returns true only for equal bytes, whichever byte differs', () => {
    const secret = randomBytes(32);
    expect(equalBytes(secret, Uint8Array.from(secret))).toBe(true);
    for (let at = 0; at < secret.length; at++) {
      const other = Uint8Array.from(secret);
      other[at] = 255 - (other[at] ?? 0);
      expect(equalBytes(secret, other), `byte ${at}`).toBe(false);
    }
    expect(equalBytes(secret, secret.subarray(1))).toBe(false);
    expect(equalBytes(secret, new Uint8Array(0))).toBe(false);
  });

  it('compares in constant time, wherever the first difference is', () => {
    const secret = randomBytes(32);
    equalBytes(secret, Uint8Array.from(secret).fill(0, 0, 1));
    equalBytes(secret, Uint8Array.from(secret));
    expect(timingSafeEqual).toHaveBeenCalledTimes(2);
  });
});

describe('wipe', () => {
  it('overwrites every byte of each secret, and no other byte', () => {
    const memory = new Uint8Array(8).fill(7);
    const other = new Uint8Array(3).fill(9);
    wipe(memory.subarray(2, 5), other);
    expect([...memory, ...other]).toEqual([7, 7, 0, 0, 0, 7, 7, 7, 0, 0, 0]);
  });
});
