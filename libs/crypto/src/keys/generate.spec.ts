import { randomFillSync } from 'node:crypto';

import { afterEach, describe, expect, it, vi } from 'vitest';

import { generateKey, SecretKey } from '../index.js';

vi.mock('node:crypto', async (importOriginal) => {
  const crypto = await importOriginal<typeof import('node:crypto')>();
  return { ...crypto, randomFillSync: vi.fn<typeof crypto.randomFillSync>(crypto.randomFillSync) };
});

describe('generateKey', () => {
  afterEach(() => {
    vi.mocked(randomFillSync).mockClear();
  });

  it('returns 32 bytes that are a strong key, different each time, in memory of their own', () => {
    const keys = Array.from({ length: 100 }, () => generateKey());
    expect(new Set(keys.map((key) => SecretKey.fromBytes(key).id)).size).toBe(100);
    expect(keys.every((key) => key.length === 32 && key.buffer.byteLength === 32)).toBe(true);
  });

  it('fails when the random source fails', () => {
    vi.mocked(randomFillSync).mockImplementationOnce(() => {
      throw new Error('no entropy');
    });
    expect(() => generateKey()).toThrow(expect.objectContaining({ code: 'ERR_RANDOM_FAILED', fault: 'operator' }));
  });

  it('fails when the random source returns zeros', () => {
    vi.mocked(randomFillSync).mockImplementationOnce((buffer) => buffer);
    expect(() => generateKey()).toThrow(expect.objectContaining({ code: 'ERR_RANDOM_FAILED' }));
  });
});
