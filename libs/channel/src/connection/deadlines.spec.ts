import { beforeEach, describe, expect, it } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
import { Deadlines } from './deadlines.js';

const expired: string[] = [];
let time: FakeClock;

beforeEach(() => {
  expired.length = 0;
  time = FakeClock.install();
});

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const deadlineNames = ['a', 'b'] as const;
const deadlines = (): Deadlines<'a' | 'b'> =>
  new Deadlines({ deadlineNames, expire: (name) => void expired.push(name) });

describe('deadlines', () => {
  it('expire in the order of their time, on one timer', () => {
    const both = deadlines();
    both.set('a', 20);
    both.set('b', 10);
    expect(time.timerCount).toBe(1);
    time.advance(10);
    expect(expired).toEqual(['b']);
    time.advance(10);
    expect(expired).toEqual(['b', 'a']);
    expect(time.timerCount).toBe(0);
  });

  it('move when they are set again, and not when they are set once', () => {
    const both = deadlines();
    both.set('a', 10);
    both.set('b', 10);
    time.advance(5);
    both.set('a', 10);
    both.setOnce('b', 10);
    time.advance(5);
    expect(expired).toEqual(['b']);
    time.advance(5);
    expect(expired).toEqual(['b', 'a']);
  });

  it('are all cleared except the one to keep', () => {
    const both = deadlines();
    both.set('a', 10);
    both.set('b', 10);
    both.clearAll('b');
    time.advance(10);
    expect(expired).toEqual(['b']);
    expect(time.timerCount).toBe(0);
  });

  it('leave no timer when they are cleared, also from one of their own callbacks', () => {
    const names: string[] = [];
    const both: Deadlines<'a' | 'b'> = new Deadlines({
      deadlineNames,
      expire: (name) => {
        names.push(name);
        both.clearAll();
      },
    });
    both.set('a', 10);
    both.set('b', 10);
    time.advance(100);
    expect(names).toEqual(['a']);
    both.set('a', 10);
    both.clearAll();
    expect(time.timerCount).toBe(0);
  });

  it('give data that has arrived one turn to move them before they expire', async () => {
    const both = deadlines();
    both.set('a', 10);
    both.set('b', 10);
    time.stall(10);
    both.set('a', 10);
    await turn();
    expect(expired).toEqual(['b']);
    time.advance(10);
    expect(expired).toEqual(['b', 'a']);
    expect(time.timerCount).toBe(0);
  });

  it('move once if they are late because the process stalled, and not if no peer is awaited', async () => {
    const both = deadlines();
    both.set('a', 5_000);
    both.set('b', 5_000, 0);
    time.stall(60_000);
    await turn();
    expect(expired).toEqual(['b']);
    time.stall(1_000);
    await turn();
    expect(expired).toEqual(['b', 'a']);
  });
});
