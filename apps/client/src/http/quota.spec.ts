import { describe, expect, it } from 'vitest';

import { Quota } from './quota.js';

describe('a quota', () => {
  it('leaves the share that one caller may not take to other callers', () => {
    const quota = new Quota({ all: 10, each: 6 });
    expect(quota.take('one', 6)).toBe(true);
    expect(quota.take('one', 1)).toBe(false);
    expect(quota.take('other', 5)).toBe(false);
    expect(quota.take('other', 4)).toBe(true);
    expect(quota.take('third', 1)).toBe(false);
  });

  it('takes nothing when it refuses, and can be taken again after it is returned', () => {
    const quota = new Quota({ all: 10, each: 6 });
    expect(quota.take('one', 7)).toBe(false);
    expect(quota.take('one', 6)).toBe(true);
    quota.giveBack('one', 6);
    for (const caller of ['one', 'other']) expect(quota.take(caller, 5)).toBe(true);
  });
});
