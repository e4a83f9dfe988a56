import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Deadlines } from './deadlines.js';

const expired: string[] = [];

beforeEach(() => {
  expired.length = 0;
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => void vi.useRealTimers());

const deadlines = (): Deadlines<'a' | 'b'> => new Deadlines((name) => expired.push(name));

describe('deadlines', () => {
  it('expire by name in the order of their time, on one timer', () => {
    const both = deadlines();
    both.set('a', 20);
    both.set('b', 10);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(10);
    expect(expired).toEqual(['b']);
    vi.advanceTimersByTime(10);
    expect(expired).toEqual(['b', 'a']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('move when they are set again, and not when they are set once', () => {
    const both = deadlines();
    both.set('a', 10);
    both.set('b', 10);
    vi.advanceTimersByTime(5);
    both.set('a', 10);
    both.setOnce('b', 10);
    vi.advanceTimersByTime(5);
    expect(expired).toEqual(['b']);
    vi.advanceTimersByTime(5);
    expect(expired).toEqual(['b', 'a']);
  });

  it('leave no timer behind when they are cleared, also by one of their own', () => {
    const names: string[] = [];
    const both: Deadlines<'a' | 'b'> = new Deadlines((name) => {
      names.push(name);
      both.clearAll();
    });
    both.set('a', 10);
    both.set('b', 10);
    vi.advanceTimersByTime(100);
    expect(names).toEqual(['a']);
    both.set('a', 10);
    both.clearAll();
    expect(vi.getTimerCount()).toBe(0);
  });
});
