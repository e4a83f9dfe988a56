import { createCipheriv, randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { release } from './release.js';

describe('release', () => {
  it('frees the memory of a large buffer immediately', () => {
    const bytes = Buffer.allocUnsafeSlow(65_536);
    release(bytes);
    expect(bytes).toHaveLength(0);
    expect(bytes.buffer.byteLength).toBe(0);
  });

  it('frees the output of a cipher, also if a view leaves out a few bytes of it', () => {
    const cipher = createCipheriv('aes-128-ctr', randomBytes(16), Buffer.alloc(16));
    const bytes = cipher.update(Buffer.alloc(4_096)).subarray(1, -15);
    release(bytes);
    expect(bytes).toHaveLength(0);
  });

  it('does not free small buffers, parts of other buffers and possible pool buffers', () => {
    const part = Buffer.allocUnsafeSlow(65_536).subarray(0, 60_000);
    const poolSized = Buffer.allocUnsafeSlow(Buffer.poolSize);
    const kept = [Buffer.allocUnsafeSlow(2_047), part, poolSized, Buffer.allocUnsafe(100)];
    const lengths = kept.map(({ length }) => length);
    for (const bytes of kept) release(bytes);
    expect(kept.map(({ length }) => length)).toEqual(lengths);
  });

  it('may be called twice', () => {
    const bytes = Buffer.allocUnsafeSlow(4_096);
    release(bytes);
    expect(() => release(bytes)).not.toThrow();
  });
});
