import { describe, expect, it } from 'vitest';

import { CRYPTO_ERROR_CODES, CryptoError } from './index.js';

describe('CryptoError', () => {
  it('lists each of its codes once, in order', () => {
    expect(CRYPTO_ERROR_CODES).toEqual([...new Set(CRYPTO_ERROR_CODES)].sort());
    expect(CRYPTO_ERROR_CODES.every((code) => /^ERR_[A-Z_]+$/.test(code))).toBe(true);
  });

  it.each(CRYPTO_ERROR_CODES)('%s says who has to act', (code) => {
    expect(['caller', 'input', 'operator']).toContain(new CryptoError(code, 'text').fault);
  });

  it('keeps the original as its cause', () => {
    const cause = new Error('original');
    const error = new CryptoError('ERR_OPEN_FAILED', 'text', { cause });
    expect(error).toMatchObject({ name: 'CryptoError', code: 'ERR_OPEN_FAILED', message: 'text', cause });
    expect(error).toBeInstanceOf(Error);
  });
});
