import { beforeEach, describe, expect, it } from 'vitest';

import { FakeClock } from '../../../test/support/fake-clock.js';
import { Deadline } from './deadline.js';

let time: FakeClock;
let expired: number;

beforeEach(() => {
  time = FakeClock.install();
  expired = 0;
});

const deadline = (delayMs: number): Deadline => new Deadline(delayMs, () => void expired++);
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('a deadline', () => {
  it('expires once, at its time', () => {
    deadline(10);
    time.advance(9);
    expect(expired).toBe(0);
    time.advance(100_000);
    expect([expired, time.timerCount]).toEqual([1, 0]);
  });

  it('gives data that has arrived one turn to clear it before it expires', async () => {
    const cleared = deadline(10);
    deadline(10);
    time.stall(11);
    expect(expired).toBe(0);
    cleared.clear();
    await turn();
    expect(expired).toBe(1);
  });

  it.each([
    [300, 300],
    [5_000, 1_000],
  ])('of %i ms that is late because the process stalled moves once by %i ms', async (delayMs, graceMs) => {
    deadline(delayMs);
    time.stall(delayMs + 60_000);
    await turn();
    time.advance(graceMs - 1);
    expect(expired).toBe(0);
    time.stall(60_000);
    await turn();
    expect(expired).toBe(1);
  });

  it('reports the time left including the move, also before its timer could run', () => {
    const late = deadline(300);
    const busyUntil = deadline(10_000);
    expect([late.leftMs, busyUntil.leftMs]).toEqual([300, 10_000]);
    time.stall(400);
    expect([late.leftMs, busyUntil.leftMs]).toEqual([300, 9_600]);
  });
});
