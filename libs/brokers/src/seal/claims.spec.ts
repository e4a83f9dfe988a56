import { clock } from '@sealwire/channel/internal';
import type { ReplayStore } from '@sealwire/envelope';
import { afterEach, expect, it, vi } from 'vitest';

import { Claims } from './claims.js';

afterEach(() => vi.restoreAllMocks());

it('claims an id for twice the greatest age', async () => {
  const claim = vi.fn<ReplayStore['claim']>().mockResolvedValue(true);
  expect(await new Claims({ claim }, 60_000, vi.fn<(error: unknown) => void>()).claim('orders', 'id', 1)).toBe('first');
  expect(claim).toHaveBeenCalledWith('id', 120_000);
});

it('refuses a message if the store throws, rejects or does not answer in time', async () => {
  const onFailed = vi.fn<(error: unknown) => void>();
  vi.spyOn(clock, 'setTimeout').mockImplementation((run) => setTimeout(run, 0));
  const stores = [
    () => {
      throw new Error('It throws');
    },
    () => Promise.reject(new Error('It rejects')),
    () => new Promise<boolean>(() => undefined),
  ];
  for (const claim of stores)
    expect(await new Claims({ claim }, 1000, onFailed).claim('orders', 'id', 1)).toBe('store');
  expect(onFailed).toHaveBeenCalledTimes(3);
});

it.each([
  ['10,000 messages', 10_000, 1],
  ['64 MiB', 4, 16_777_216],
])('refuses a message immediately if %s wait', async (_what, count, bytes) => {
  const claims = new Claims({ claim: () => new Promise(() => undefined) }, 1000, vi.fn<(error: unknown) => void>());
  for (let index = 0; index < count; index += 1) void claims.claim('orders', 'id', bytes);
  expect(await claims.claim('orders', 'id', 1)).toBe('overload');
});

it('counts a message as waiting until all earlier ones of its queue are claimed', async () => {
  const answers: ((isFirst: boolean) => void)[] = [];
  const claim = () => new Promise<boolean>((resolve) => void answers.push(resolve));
  const claims = new Claims({ claim }, 1000, vi.fn<(error: unknown) => void>());
  const [first, second] = [claims.claim('orders', '1', 33_554_432), claims.claim('orders', '2', 33_554_432)];
  answers[1]?.(true);
  expect(await claims.claim('other', '3', 1)).toBe('overload');
  answers[0]?.(true);
  expect([await first, await second]).toEqual(['first', 'first']);
  const third = claims.claim('other', '3', 1);
  answers[2]?.(false);
  expect(await third).toBe('again');
});
