import { describe, expect, it } from 'vitest';

import { abandonSlab, detachFromSlab, giveBackSlab, takeSlab } from './slab.js';

describe('slabs', () => {
  it('are reused as the same memory after they are returned', () => {
    const slab = takeSlab();
    giveBackSlab(slab.subarray(0, 100));
    const again = takeSlab();
    expect(again.buffer).toBe(slab.buffer);
    expect(again).toHaveLength(slab.length);
    giveBackSlab(again);
  });

  it('are never used by two writers at a time', () => {
    const taken = Array.from({ length: 20 }, takeSlab);
    expect(new Set(taken.map(({ buffer }) => buffer)).size).toBe(20);
    for (const slab of taken) giveBackSlab(slab);
  });

  it('are copied for a socket that may not keep one, and are free immediately', () => {
    const slab = takeSlab();
    slab.write('sealed');
    const copy = detachFromSlab(slab.subarray(0, 6), false);
    expect(copy.buffer).not.toBe(slab.buffer);
    expect(copy.toString()).toBe('sealed');
    const again = takeSlab();
    expect(again.buffer).toBe(slab.buffer);
    giveBackSlab(again);
  });

  it('are kept by at most 16 blocked sockets; further ones get copies', () => {
    const kept = Array.from({ length: 40 }, () => {
      const part = takeSlab().subarray(0, 10);
      return { part, detached: detachFromSlab(part, true) };
    });
    expect(kept.filter(({ part, detached }) => part.buffer === detached.buffer)).toHaveLength(16);
    for (const { detached } of kept) giveBackSlab(detached);
  });

  it('that are abandoned are not reused, nor is a buffer of any other kind', () => {
    const slab = takeSlab();
    abandonSlab(slab);
    giveBackSlab(slab);
    const other = Buffer.alloc(slab.length);
    giveBackSlab(other);
    expect(detachFromSlab(other, false)).toBe(other);
    const next = Array.from({ length: 8 }, takeSlab);
    expect(next.every(({ buffer }) => buffer !== slab.buffer && buffer !== other.buffer)).toBe(true);
    for (const each of next) giveBackSlab(each);
  });
});
