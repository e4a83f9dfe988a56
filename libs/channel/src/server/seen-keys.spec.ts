import { describe, expect, it } from 'vitest';

import { SeenKeys } from './seen-keys.js';

const [a, b, c] = ['a', 'b', 'c'].map((name) => Buffer.alloc(32, name)) as [Buffer, Buffer, Buffer];

describe('SeenKeys', () => {
  it('recognizes a key within the time since it was last seen', () => {
    const seen = new SeenKeys(100);
    expect([seen.add(a, 0), seen.add(a, 100), seen.add(a, 200), seen.add(a, 301)]).toEqual([false, true, true, false]);
  });

  it('distinguishes keys', () => {
    const seen = new SeenKeys(100);
    expect([seen.add(a, 0), seen.add(b, 1), seen.add(a, 2)]).toEqual([false, false, true]);
  });

  it('keeps its own copy of a key', () => {
    const seen = new SeenKeys(100);
    const reused = Buffer.from(a);
    seen.add(reused, 0);
    reused.fill(0);
    expect(seen.add(a, 1)).toBe(true);
  });

  it('drops the key that was seen the longest ago when there are too many', () => {
    const seen = new SeenKeys(100, 2);
    for (const key of [a, b, c]) seen.add(key, 0);
    expect([seen.add(c, 1), seen.add(b, 1), seen.add(a, 1)]).toEqual([true, true, false]);
  });
});
