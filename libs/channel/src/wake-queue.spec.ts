import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { FakeClock } from '../../../test/support/fake-clock.js';
import { WakeQueue } from './wake-queue.js';
import type { Sleeper } from './wake-queue.js';

const ENTRY = fc.record({ sleeper: fc.nat({ max: 20 }), atMs: fc.option(fc.integer({ min: 1_001, max: 1_060 })) });

describe('the wake queue', () => {
  it('wakes every sleeper once, at the time that was set last, on one timer', () => {
    const time = FakeClock.install();
    fc.assert(
      fc.property(fc.array(ENTRY, { maxLength: 80 }), (entries) => {
        const queue = new WakeQueue();
        const woken = new Map<number, number>();
        const startMs = time.nowMs;
        const sleepers = Array.from({ length: 21 }, (_, nth): Sleeper => ({
          place: -1,
          wake: (nowMs) => {
            expect(woken.has(nth)).toBe(false);
            woken.set(nth, nowMs - startMs);
          },
        }));
        const expected = new Map<number, number>();
        for (const { sleeper: nth, atMs } of entries) {
          const sleeper = sleepers[nth] ?? expect.unreachable();
          if (atMs === null) {
            queue.delete(sleeper);
            expected.delete(nth);
          } else {
            queue.set(sleeper, startMs + atMs);
            expected.set(nth, atMs);
          }
          expect(time.timerCount).toBe(expected.size === 0 ? 0 : 1);
        }
        time.advance(2_000);
        expect(woken).toEqual(expected);
        expect(time.timerCount).toBe(0);
      }),
    );
  });

  it('has a sleeper enter again that asks for it when it wakes', () => {
    const time = FakeClock.install();
    const queue = new WakeQueue();
    const times: number[] = [];
    const startMs = time.nowMs;
    const sleeper: Sleeper = {
      place: -1,
      wake: (nowMs) => {
        times.push(nowMs - startMs);
        queue.set(sleeper, nowMs + 10);
      },
    };
    queue.set(sleeper, startMs + 10);
    time.advance(30);
    queue.delete(sleeper);
    expect(times).toEqual([10, 20, 30]);
    expect(time.timerCount).toBe(0);
  });
});
