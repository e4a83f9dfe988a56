import { describe, expect, it } from 'vitest';

import { generateKey, SecretKey } from '../index.js';
import type { KeyState } from '../keys/ring-key.js';
import type { KeyringFileEntry } from '../ring-file/entry.js';
import { forgetKey, installKey, removeKey, retireKey, revokeKey, useKey } from './changes.js';
import { findEntry } from './find-entry.js';

const NOW_MS = 1_000_000;

function entryOf(state: KeyState, label: string, window: Partial<KeyringFileEntry> = {}): KeyringFileEntry {
  const bytes = generateKey();
  return { ...window, bytes, state, key: SecretKey.fromBytes(bytes, 'The key', { label }) };
}

const primary = entryOf('primary', 'primary');
const accept = entryOf('accept', 'accept');
const retired = entryOf('retired', 'retired');
const revoked = entryOf('revoked', 'revoked');
const ring = [primary, accept, retired, revoked];

const statesOf = (entries: readonly KeyringFileEntry[]): readonly string[] => entries.map(({ state }) => state);
const REFUSED = { code: 'ERR_KEYRING_CHANGE' };

describe('the changes of a keyring', () => {
  it('make a key primary and accept the one before it', () => {
    expect(statesOf(useKey(ring, accept, NOW_MS))).toEqual(['accept', 'primary', 'retired', 'revoked']);
    expect(statesOf(useKey(ring, retired, NOW_MS))).toEqual(['accept', 'accept', 'primary', 'revoked']);
    expect(statesOf(useKey(ring, primary, NOW_MS))).toEqual(statesOf(ring));
  });

  it('make a key primary only within its window, which ends at notAfter', () => {
    const window = entryOf('accept', 'window', { notBefore: NOW_MS, notAfter: NOW_MS + 1 });
    expect(statesOf(useKey([window], window, NOW_MS))).toEqual(['primary']);
    for (const unixMs of [NOW_MS - 1, NOW_MS + 1]) {
      expect(() => useKey([window], window, unixMs)).toThrow(expect.objectContaining(REFUSED));
    }
    expect(() => useKey(ring, revoked, NOW_MS)).toThrow(expect.objectContaining(REFUSED));
  });

  it('install a key at the end, but none that the ring has in any state', () => {
    const added = entryOf('accept', 'new');
    expect(installKey(ring, added)).toEqual([...ring, added]);
    for (const known of ring)
      expect(() => installKey(ring, { ...added, key: known.key })).toThrow(
        expect.objectContaining({ code: 'ERR_KEYRING_DUPLICATE' }),
      );
  });

  it('remove, retire and revoke the named key alone', () => {
    expect(removeKey(ring, accept)).toEqual([primary, retired, revoked]);
    expect(statesOf(retireKey(ring, accept))).toEqual(['primary', 'retired', 'retired', 'revoked']);
    expect(statesOf(revokeKey(ring, retired))).toEqual(['primary', 'accept', 'revoked', 'revoked']);
    expect(statesOf(revokeKey(ring, primary))).toEqual(['revoked', 'accept', 'retired', 'revoked']);
  });

  it('remove a revoked key only if it is to be forgotten, and do not install it again', () => {
    expect(() => removeKey(ring, revoked)).toThrow(expect.objectContaining(REFUSED));
    expect(forgetKey(ring, revoked)).toEqual([primary, accept, retired]);
    expect(() => forgetKey(ring, primary)).toThrow(expect.objectContaining(REFUSED));
    expect(() => installKey(ring, { ...revoked, state: 'accept' })).toThrow(
      /is revoked, so it must never be used again/,
    );
  });

  it('neither remove nor retire the primary key, and do not weaken a revocation', () => {
    expect(() => removeKey(ring, primary)).toThrow(expect.objectContaining(REFUSED));
    expect(() => retireKey(ring, primary)).toThrow(expect.objectContaining(REFUSED));
    expect(() => retireKey(ring, revoked)).toThrow(expect.objectContaining(REFUSED));
  });
});

describe('findEntry', () => {
  const UNKNOWN = { code: 'ERR_KEYRING_NO_KEY' };

  it('finds a key by its id, by the beginning of its id, and by its label', () => {
    for (const entry of ring)
      for (const name of [entry.key.id, entry.key.id.slice(0, 12), entry.key.label ?? ''])
        expect(findEntry(ring, name)).toBe(entry);
  });

  it('refuses a name that no key has, or more than one', () => {
    const twins = [entryOf('primary', 'twin'), entryOf('accept', 'twin')];
    for (const name of ['twin', '', 'unknown', 'TWIN'])
      expect(() => findEntry(twins, name)).toThrow(expect.objectContaining(UNKNOWN));
    const named = [entryOf('accept', accept.key.id.slice(0, 4)), accept];
    expect(() => findEntry(named, accept.key.id.slice(0, 4))).toThrow(/names 2 keys/);
    expect(findEntry(named, accept.key.id)).toBe(accept);
  });

  it('does not take 16 hexadecimal digits as a label, so that a command said twice changes no other key', () => {
    const labelled = entryOf('accept', accept.key.id);
    expect(() => findEntry([primary, labelled], accept.key.id)).toThrow(expect.objectContaining(UNKNOWN));
  });

  it('needs at least 4 digits of the beginning of an id', () => {
    expect(findEntry([accept], accept.key.id.slice(0, 4))).toBe(accept);
    for (const digits of [1, 2, 3])
      expect(() => findEntry([accept], accept.key.id.slice(0, digits))).toThrow(expect.objectContaining(UNKNOWN));
  });

  it('does not show a name that is a key', () => {
    const hex = Buffer.from(accept.bytes).toString('hex');
    expect(() => findEntry(ring, hex)).toThrow(/^(?:(?![0-9a-f]{64}).)*$/);
    expect(() => findEntry(ring, hex)).toThrow(expect.objectContaining(UNKNOWN));
  });
});
