import { describe, expect, it } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
import { RetryBudget } from './retry-budget.js';

function takeAll(budget: RetryBudget): number {
  let taken = 0;
  while (budget.take()) taken += 1;
  return taken;
}

describe('RetryBudget', () => {
  it('has 100 tokens at the start', () => {
    FakeClock.install();
    expect(takeAll(new RetryBudget())).toBe(100);
  });

  it('gets a token for every five calls', () => {
    FakeClock.install();
    const budget = new RetryBudget();
    takeAll(budget);
    for (let call = 0; call < 52; call++) budget.noteCall();
    expect(takeAll(budget)).toBe(10);
  });

  it('gets ten tokens in a second', () => {
    const clock = FakeClock.install();
    const budget = new RetryBudget();
    takeAll(budget);
    clock.advance(1_500);
    expect(takeAll(budget)).toBe(15);
  });

  it('has at most 1,000 tokens, whatever earned them', () => {
    const clock = FakeClock.install();
    const budget = new RetryBudget();
    clock.advance(1_000_000);
    for (let call = 0; call < 10_000; call++) budget.noteCall();
    expect(takeAll(budget)).toBe(1_000);
  });
});
