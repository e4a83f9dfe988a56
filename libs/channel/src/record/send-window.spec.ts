import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { FULL_BYTES, SendWindow } from './send-window.js';

const RECORD_BYTES = 65_520;
const MAX_BYTES = 8_388_608;
const code = (name: string): Error => expect.objectContaining({ code: name }) as Error;

/** What it has sealed at 0 ms. */
function sealed(bytes: number): SendWindow {
  const window = new SendWindow();
  window.seal(bytes, 0);
  return window;
}

describe('a send window', () => {
  it('does not hold bulk below 262,144 bytes outstanding [R5.34]', () => {
    expect(sealed(FULL_BYTES - 1).holdsBulk(0)).toBe(false);
    expect(sealed(FULL_BYTES).holdsBulk(0)).toBe(true);
  });

  it('accepts a CREDIT that rises by 65,536, and none that rises less [R5.31]', () => {
    expect(() => sealed(200_000).receiveCredit(65_535, 0)).toThrow(code('ERR_CREDIT_FLOOD'));
    const window = sealed(200_000);
    window.receiveCredit(65_536, 0);
    expect(window.outstandingBytes).toBe(134_464);
    for (const taken of [0, 65_536, 131_071]) {
      expect(() => window.receiveCredit(taken, 0)).toThrow(code('ERR_CREDIT_FLOOD'));
    }
    window.receiveCredit(131_072, 0);
    expect(window.outstandingBytes).toBe(68_928);
  });

  it('accepts a CREDIT of all sealed bytes, and of no byte more [R5.31]', () => {
    const window = sealed(131_072);
    expect(() => window.receiveCredit(131_073, 0)).toThrow(code('ERR_CREDIT_UNEARNED'));
    window.receiveCredit(131_072, 0);
    expect(window.outstandingBytes).toBe(0);
  });

  it('starts the CREDIT deadline at the later of the last CREDIT and the moment at which it was full [R5.32]', () => {
    const window = sealed(FULL_BYTES - 1);
    expect(window.fullSinceMs).toBeUndefined();
    window.seal(1, 10);
    window.seal(400_000, 20);
    expect(window.fullSinceMs).toBe(10);
    window.receiveCredit(100_000, 30);
    expect(window.fullSinceMs).toBe(30);
    window.receiveCredit(500_000, 40);
    expect(window.fullSinceMs).toBeUndefined();
  });
});

interface Path {
  readonly bytesPerMs: number;
  /** Each way. */
  readonly delayMs: (nowMs: number) => number;
  readonly passesAt?: (nowMs: number) => boolean;
}

/** What a sender that always has bulk lets be outstanding on this path, at each millisecond. */
function outstandingOn({ bytesPerMs, delayMs, passesAt = () => false }: Path, runMs: number): number[] {
  const window = new SendWindow();
  const arrivals: { readonly atMs: number; readonly bytes: number }[] = [];
  const credits: { readonly atMs: number; readonly taken: number }[] = [];
  const outstanding: number[] = [];
  let [freeMs, taken, reported] = [0, 0, 0];
  for (let nowMs = 0; nowMs < runMs; nowMs++) {
    for (; (arrivals[0]?.atMs ?? Infinity) <= nowMs; arrivals.shift()) taken += arrivals[0]?.bytes ?? 0;
    if (taken - reported >= 131_072) {
      credits.push({ atMs: nowMs + delayMs(nowMs), taken });
      reported = taken;
    }
    for (; (credits[0]?.atMs ?? Infinity) <= nowMs; credits.shift())
      window.receiveCredit(credits[0]?.taken ?? 0, nowMs);
    if (passesAt(nowMs)) window.notePassed(nowMs);
    while (!window.holdsBulk(nowMs)) {
      window.seal(RECORD_BYTES, nowMs);
      window.noteBulk(true, nowMs);
      freeMs = Math.max(freeMs, nowMs) + RECORD_BYTES / bytesPerMs;
      arrivals.push({ atMs: freeMs + delayMs(nowMs), bytes: RECORD_BYTES });
    }
    outstanding.push(window.outstandingBytes);
  }
  return outstanding;
}

const most = (outstanding: readonly number[]): number =>
  outstanding.reduce((greatest, bytes) => Math.max(greatest, bytes), 0);

describe('the window of a sender that always has bulk', () => {
  it.each([
    [10_000, 50],
    [10_000, 100],
    [2_000, 200],
  ])('grows to about the capacity of a path of %i bytes a millisecond and %i ms each way', (rate, ms) => {
    const outstanding = outstandingOn({ bytesPerMs: rate, delayMs: () => ms }, 20 * ms);
    const pathBytes = rate * 2 * ms;
    expect(most(outstanding)).toBeGreaterThan(pathBytes);
    expect(most(outstanding)).toBeLessThan(3.5 * (pathBytes + 131_072));
  });

  it('stays below 2 MiB on a path of 100 KB/s, so that a PONG is not delayed by a minute [R5.12]', () => {
    expect(most(outstandingOn({ bytesPerMs: 100, delayMs: () => 200 }, 200_000))).toBeLessThan(2_097_152);
  });

  it('does not exceed its cap, however fast and long the path is', () => {
    const outstanding = outstandingOn({ bytesPerMs: 100_000, delayMs: () => 300 }, 12_000);
    expect(most(outstanding)).toBeLessThan(MAX_BYTES + RECORD_BYTES);
    expect(most(outstanding)).toBeGreaterThanOrEqual(MAX_BYTES);
  });

  it('shrinks while small messages pass bulk, and grows again afterwards', () => {
    const passesAt = (nowMs: number): boolean => nowMs >= 2_000 && nowMs < 4_000;
    const outstanding = outstandingOn({ bytesPerMs: 10_000, delayMs: () => 50, passesAt }, 6_000);
    const settled = (fromMs: number): number => most(outstanding.slice(fromMs + 1_500, fromMs + 2_000));
    expect(settled(2_000)).toBeLessThan(0.8 * settled(0));
    expect(settled(4_000)).toBeGreaterThan(settled(2_000) / 0.8);
    expect(settled(2_000)).toBeGreaterThanOrEqual(10_000 * 100); // what the path holds
  });

  it('adapts to a path that becomes longer within the next two minutes', () => {
    const delayMs = (nowMs: number): number => (nowMs < 10_000 ? 5 : 100);
    const outstanding = outstandingOn({ bytesPerMs: 10_000, delayMs }, 125_000);
    expect(most(outstanding.slice(-5_000))).toBeGreaterThan(10_000 * 200);
  });
});

describe('any run of records and CREDITs', () => {
  it('lets bulk go below 262,144 bytes outstanding, and never at the cap [R5.34]', () => {
    const step = fc.record({
      waitMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 100_000, noNaN: true })),
      bytes: fc.integer({ min: 2, max: 4_095 }).map((blocks) => 16 * blocks),
      credits: fc.boolean(),
      waits: fc.boolean(),
      passes: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const window = new SendWindow();
        let [nowMs, sealedBytes] = [0, 0];
        for (const { waitMs, bytes, credits, waits, passes } of steps) {
          nowMs += waitMs;
          window.seal(bytes, nowMs);
          sealedBytes += bytes;
          window.noteBulk(waits, nowMs);
          if (passes) window.notePassed(nowMs);
          if (credits && window.outstandingBytes >= 65_536) window.receiveCredit(sealedBytes, nowMs);
          const { outstandingBytes } = window;
          const isRight = window.holdsBulk(nowMs) ? outstandingBytes >= FULL_BYTES : outstandingBytes < MAX_BYTES;
          expect(isRight).toBe(true);
        }
      }),
    );
  });
});
