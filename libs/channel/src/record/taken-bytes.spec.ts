import { describe, expect, it } from 'vitest';

import { TakenBytes } from './taken-bytes.js';

describe('the count of bytes that a side has taken', () => {
  it('is to be reported from 131,072 on, and not a byte before [R5.29, R5.30]', () => {
    const taken = new TakenBytes();
    taken.take(131_071);
    expect(taken.isDue).toBe(false);
    taken.take(1);
    expect(taken.isDue).toBe(true);
  });

  it('is reported as a total, and the next report counts from there', () => {
    const taken = new TakenBytes();
    taken.take(200_000);
    expect(taken.report()).toBe(200_000);
    taken.take(131_071);
    expect(taken.isDue).toBe(false);
    taken.take(1);
    expect([taken.isDue, taken.report()]).toEqual([true, 331_072]);
  });
});
