import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ReplayWindow } from './replay-window.js';

const LIFETIME_MS = 120_000;
const MAX_AGE_S = 60;

interface Claim {
  readonly sender: string;
  readonly counter: number;
  readonly iat: number;
}

const newWindow = (maxBlocks?: number): ReplayWindow => new ReplayWindow({ lifetimeMs: LIFETIME_MS, maxBlocks }, 0);
const claimOf = (window: ReplayWindow, { sender, counter, iat }: Claim, nowMs: number): boolean =>
  window.claim({ sender, counter }, iat, nowMs);

/** Steps of a time that only goes on, with a claim at each. Counters are near each other and far apart. */
const steps = fc.array(
  fc.record({
    passedMs: fc.oneof(fc.nat(500), fc.nat(400_000)),
    sender: fc.constantFrom('a', 'b', 'c'),
    counter: fc.oneof(fc.nat(5), fc.nat(2000), fc.maxSafeNat()),
    /** Seconds by which the sender's clock differs. */
    offset: fc.integer({ min: -200, max: 200 }),
  }),
  { maxLength: 200 },
);

describe('ReplayWindow', () => {
  it('lets no id pass twice, whatever the clocks and the bound do', () => {
    fc.assert(
      fc.property(steps, fc.constantFrom(1, 2, 65_536), (claims, maxBlocks) => {
        const window = newWindow(maxBlocks);
        const passed = new Map<string, number>();
        let nowMs = 0;
        for (const { passedMs, sender, counter, offset } of claims) {
          nowMs += passedMs;
          // An id belongs to one envelope, and so to one iat.
          const id = `${sender}.${counter}`;
          const iat = passed.get(id) ?? 1000 + Math.floor(nowMs / 1000) + offset;
          const isFirst = claimOf(window, { sender, counter, iat }, nowMs);
          expect(isFirst && passed.has(id)).toBe(false);
          if (isFirst) passed.set(id, iat);
        }
      }),
    );
  });

  it('lets every id pass once that is not older than the age, in any order', () => {
    fc.assert(
      fc.property(steps, (claims) => {
        const window = newWindow();
        const seen = new Set<string>();
        let nowMs = 0;
        for (const { passedMs, sender, counter, offset } of claims) {
          nowMs += passedMs;
          const iat = 1000 + Math.floor(nowMs / 1000) + (offset % MAX_AGE_S);
          const id = `${sender}.${counter}`;
          expect(seen.has(id) || claimOf(window, { sender, counter, iat }, nowMs)).toBe(true);
          seen.add(id);
        }
      }),
    );
  });

  it('remembers a message that many others have overtaken', () => {
    const window = newWindow();
    for (let counter = 1; counter <= 100_000; counter++) claimOf(window, { sender: 'a', counter, iat: 1000 }, 1);
    expect(claimOf(window, { sender: 'a', counter: 0, iat: 1000 }, 1)).toBe(true);
    expect(claimOf(window, { sender: 'a', counter: 0, iat: 1000 }, 1)).toBe(false);
    expect(claimOf(window, { sender: 'a', counter: 77, iat: 1000 }, 1)).toBe(false);
  });

  it('refuses a forgotten id, although the clock was set back', () => {
    const window = newWindow();
    expect(claimOf(window, { sender: 'a', counter: 0, iat: 1000 }, 0)).toBe(true);
    expect(claimOf(window, { sender: 'a', counter: 1, iat: 1500 }, 500_000)).toBe(true);
    expect(claimOf(window, { sender: 'a', counter: 0, iat: 1000 }, 500_000)).toBe(false);
  });

  it('forgets the oldest ids first if there are too many, and refuses all of their age', () => {
    const window = newWindow(2);
    for (let sender = 0; sender < 5; sender++)
      expect(claimOf(window, { sender: `s${sender}`, counter: 0, iat: 1000 + sender }, 0)).toBe(true);
    for (let sender = 0; sender < 5; sender++)
      expect(claimOf(window, { sender: `s${sender}`, counter: 0, iat: 1000 + sender }, 0)).toBe(false);
    expect(claimOf(window, { sender: 'new', counter: 0, iat: 1000 }, 0)).toBe(false);
    expect(claimOf(window, { sender: 'new', counter: 0, iat: 1005 }, 0)).toBe(true);
  });

  it('has a bounded memory', () => {
    const window = newWindow(100);
    for (let sender = 0; sender < 10_000; sender++)
      claimOf(window, { sender: `s${sender}`, counter: sender * 512, iat: 1000 + sender }, sender);
    expect(window.blocks).toBeLessThanOrEqual(200);
    window.forget(10_000 + 2 * LIFETIME_MS);
    expect(window.blocks).toBe(0);
  });
});
