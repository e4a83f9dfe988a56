import { clock } from '@sealwire/channel/internal';
import type { ReplayStore } from '@sealwire/envelope';
import { afterEach, expect, it, vi } from 'vitest';

import { Claims } from './claims.js';

afterEach(() => vi.restoreAllMocks());

it('claims an id for twice the greatest age', async () => {
  const claim = vi.fn<ReplayStore['claim']>().mockResolvedValue(true);
  expect(await new Claims({ claim }, 60_000, vi.fn<(error: unknown) => void>()).claim('orders', 'id')).toBe('first');
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
  for (const claim of stores) expect(await new Claims({ claim }, 1000, onFailed).claim('orders', 'id')).toBe('store');
  expect(onFailed).toHaveBeenCalledTimes(3);
});

it('refuses messages beyond 10,000 that wait', async () => {
  const claims = new Claims({ claim: () => new Promise(() => undefined) }, 1000, vi.fn<(error: unknown) => void>());
  for (let index = 0; index < 10_000; index += 1) void claims.claim(String(index), 'id');
  expect(await claims.claim('orders', 'id')).toBe('overload');
});
