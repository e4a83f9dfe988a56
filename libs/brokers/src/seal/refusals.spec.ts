import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import { clock } from '@sealwire/channel/internal';
import { afterEach, expect, it, vi } from 'vitest';

import { Refusals } from './refusals.js';

afterEach(() => vi.restoreAllMocks());

it('logs each reason at most once a second, with the number of the others', () => {
  const now = vi.spyOn(clock, 'nowMs').mockReturnValue(0);
  const warn = vi.fn<(...args: readonly unknown[]) => void>();
  const refusals = new Refusals('server', { warn });
  for (let index = 0; index < 5; index += 1) refusals.add('tag', 'nats:orders');
  refusals.add('age', 'nats:orders');
  now.mockReturnValue(1000);
  refusals.add('tag', 'nats:or\nders');
  expect(warn.mock.calls.flat()).toEqual([
    'Refused a message on "nats:orders": it was altered, or sealed with a different key (tag)',
    'Refused a message on "nats:orders": it was sealed too long ago, or in the future (age)',
    expect.stringMatching(/^Refused a message on "nats:or\\nders": .* \(tag\), and 4 more for this reason since/),
  ]);
  expect(refusals.counts).toMatchObject({ tag: 6, age: 1, form: 0 });
});

it('are published on a diagnostics channel', () => {
  const published = vi.fn<(...args: readonly unknown[]) => void>();
  subscribe('sealwire:broker:message:refused', published);
  new Refusals('client', { warn: vi.fn<(...args: readonly unknown[]) => void>() }).add(
    'key',
    'nats:_INBOX.1',
    '0011223344556677',
  );
  unsubscribe('sealwire:broker:message:refused', published);
  const message = { side: 'client', subject: 'nats:_INBOX.1', reason: 'key', keyId: '0011223344556677' };
  expect(published.mock.calls.map(([first]) => first)).toEqual([message]);
});
