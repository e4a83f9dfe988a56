// The order of openA128CbcHs256, observed where it calls Node: the tag first, CBC only after it (docs/protocol.md §3.4).
import { hash, timingSafeEqual } from 'node:crypto';

import { beforeEach, describe, expect, it, vi } from 'vitest';

import { openA128CbcHs256, sealA128CbcHs256 } from '../index.js';
import { CbcDecryptor } from './cbc-chain.js';
import { OpeningKey } from './sealing-key.js';

vi.mock('node:crypto', async (importOriginal) => {
  const crypto = await importOriginal<typeof import('node:crypto')>();
  return {
    ...crypto,
    hash: vi.fn<typeof crypto.hash>(crypto.hash),
    timingSafeEqual: vi.fn<typeof crypto.timingSafeEqual>(crypto.timingSafeEqual),
  };
});

const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);
const IV = new Uint8Array(16);
const AAD = new Uint8Array(10);
const SEALED = sealA128CbcHs256(KEY, IV, AAD, new Uint8Array(20));

const HASHES_OF_HMAC = 2;

const decrypt = vi.spyOn(CbcDecryptor.prototype, 'decrypt');

const calls = () => ({
  hmac: vi.mocked(hash).mock.calls.length / HASHES_OF_HMAC,
  comparison: vi.mocked(timingSafeEqual).mock.calls.length,
  cbc: decrypt.mock.calls.length,
});

describe('openA128CbcHs256', () => {
  beforeEach(() => {
    vi.clearAllMocks();
  });

  it('never runs CBC on a bad tag, whichever byte of the input was altered', () => {
    for (let at = 0; at < SEALED.length; at++) {
      const altered = Uint8Array.from(SEALED);
      altered[at] = 255 - (altered[at] ?? 0);
      expect(() => openA128CbcHs256(KEY, IV, AAD, altered)).toThrow(
        expect.objectContaining({ code: 'ERR_OPEN_FAILED' }),
      );
    }
    expect(calls()).toEqual({ hmac: SEALED.length, comparison: SEALED.length, cbc: 0 });
  });

  it.each([0, 15, 16, 31, 33, 47, 49])('computes nothing for an input of %i bytes', (size) => {
    expect(() => openA128CbcHs256(KEY, IV, AAD, new Uint8Array(size))).toThrow(
      expect.objectContaining({ code: 'ERR_OPEN_FAILED' }),
    );
    expect(calls()).toEqual({ hmac: 0, comparison: 0, cbc: 0 });
  });

  it('compares in constant time, and then runs CBC once', () => {
    openA128CbcHs256(KEY, IV, AAD, SEALED);
    expect(calls()).toEqual({ hmac: 1, comparison: 1, cbc: 1 });
    expect(vi.mocked(timingSafeEqual)).toHaveBeenCalledBefore(decrypt);
  });
});

describe('OpeningKey', () => {
  it('never runs CBC on a bad tag, and compares in constant time before it does', () => {
    vi.clearAllMocks();
    const opening = new OpeningKey(KEY);
    for (let at = 0; at < SEALED.length; at++) {
      const altered = Uint8Array.from(SEALED);
      altered[at] = 255 - (altered[at] ?? 0);
      expect(() => opening.open(IV, AAD, altered)).toThrow(expect.objectContaining({ code: 'ERR_OPEN_FAILED' }));
    }
    expect(decrypt).not.toHaveBeenCalled();
    expect(timingSafeEqual).toHaveBeenCalledTimes(SEALED.length);
    opening.open(IV, AAD, SEALED);
    expect(decrypt).toHaveBeenCalledTimes(1);
    expect(vi.mocked(timingSafeEqual)).toHaveBeenCalledBefore(decrypt);
  });
});
