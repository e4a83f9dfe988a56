import { expect, it } from 'vitest';

import { covers } from './nats-library.js';

it.each([
  ['orders', 'orders', true],
  ['orders', 'orders.created', false],
  ['orders.*', 'orders.created', true],
  ['orders.*', 'orders.created.today', false],
  ['orders.*.today', 'orders.created.today', true],
  ['orders.>', 'orders.created.today', true],
  ['orders.>', 'orders', false],
  ['>', 'orders', true],
])('the subscription %s and the subject %s: %s', (pattern, subject, isCovered) => {
  expect(covers(pattern, subject)).toBe(isCovered);
});
