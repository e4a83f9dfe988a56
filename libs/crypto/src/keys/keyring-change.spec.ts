import { describe, expect, it } from 'vitest';

import { generateKey, SecretKey } from '../index.js';
import type { RingKey } from '../index.js';
import { KeyringView } from './keyring-change.js';

const raw = [generateKey(), generateKey()] as const;
const [one, two] = [SecretKey.fromBytes(raw[0]), SecretKey.fromBytes(raw[1])];
const described = (label?: string, patterns?: readonly string[]) =>
  SecretKey.fromBytes(raw[0], 'The key', { label, patterns });
const NONE = { added: [], removed: [], revoked: [], updated: [], primaryChanged: false, primary: undefined };

const change = (before: readonly RingKey[], after: readonly RingKey[]) =>
  new KeyringView(after, 1_000).changeSince(new KeyringView(before, 1_000));

describe('the change of a keyring', () => {
  it('is undefined if nothing changed, even if the keys are other objects', () => {
    const before = { key: described('a', ['x', 'y']), state: 'accept' } as const;
    expect(change([before], [{ ...before, key: described('a', ['x', 'y']) }])).toBeUndefined();
  });

  it('is undefined if only keys that may not be used come and go', () => {
    expect(change([], [{ key: one, state: 'retired' }])).toBeUndefined();
    expect(change([], [{ key: one, state: 'accept', notBefore: 1_001 }])).toBeUndefined();
  });

  it.each<[string, readonly RingKey[], readonly RingKey[], object]>([
    ['an added key', [], [{ key: one, state: 'accept' }], { added: [one.id] }],
    ['a removed key', [{ key: one, state: 'accept' }], [], { removed: [one.id] }],
    ['a retired key', [{ key: one, state: 'accept' }], [{ key: one, state: 'retired' }], { removed: [one.id] }],
    [
      'a revoked key',
      [{ key: one, state: 'accept' }],
      [{ key: one, state: 'revoked' }],
      { removed: [one.id], revoked: [one.id] },
    ],
    [
      'a retired key that is revoked',
      [{ key: one, state: 'retired' }],
      [{ key: one, state: 'revoked' }],
      { revoked: [one.id] },
    ],
    [
      'another primary key',
      [
        { key: one, state: 'primary' },
        { key: two, state: 'accept' },
      ],
      [
        { key: one, state: 'accept' },
        { key: two, state: 'primary' },
      ],
      { primaryChanged: true, primary: two.id },
    ],
    [
      'a primary key past its end',
      [{ key: one, state: 'primary', notAfter: 1_001 }],
      [{ key: one, state: 'primary', notAfter: 1_000 }],
      { removed: [one.id], primaryChanged: true },
    ],
    ['a label', [{ key: one, state: 'accept' }], [{ key: described('a'), state: 'accept' }], { updated: [one.id] }],
    [
      'patterns',
      [{ key: described('a', ['x']), state: 'accept' }],
      [{ key: described('a', ['x', 'y']), state: 'accept' }],
      { updated: [one.id] },
    ],
  ])('names %s', (_what, before, after, expected) => {
    expect(change(before, after)).toEqual({ ...NONE, ...expected });
  });
});
