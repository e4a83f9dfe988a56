import { describe, expect, it } from 'vitest';

import { allowsPattern } from './key-patterns.js';

describe('the patterns of a key', () => {
  it.each([
    [undefined, 'anything', true],
    [['sum'], 'sum', true],
    [['sum'], 'sums', false],
    [['sum'], 'Sum', false],
    [['billing.*'], 'billing.pay', true],
    [['billing.*'], 'billing.', true],
    [['billing.*'], 'billing', false],
    [['billing.*'], 'audit.billing.pay', false],
    [['*'], '', true],
    [['sum', 'billing.*'], 'billing.pay', true],
    [[], 'sum', false],
    [['{"cmd":"sum"}'], '{"cmd":"sum"}', true],
  ])('%j and the message pattern %j give %s', (patterns, pattern, isAllowed) => {
    expect(allowsPattern(patterns, pattern)).toBe(isAllowed);
  });
});
