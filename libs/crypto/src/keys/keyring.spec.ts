import { inspect } from 'node:util';

import { describe, expect, it } from 'vitest';

import { generateKey, Keyring, SecretKey } from '../index.js';

const newKey = () => SecretKey.fromBytes(generateKey());

describe('Keyring', () => {
  it('finds each of its keys by the key id on the wire', () => {
    const [primary, second, third] = [newKey(), newKey(), newKey()];
    const keyring = Keyring.of(primary, second, third);
    expect(keyring.primary).toBe(primary);
    for (const key of [primary, second, third]) expect(keyring.find(key.idBytes)).toBe(key);
    expect(keyring.ids).toEqual([primary.id, second.id, third.id]);
  });

  it('finds a key by bytes that are a view into a message', () => {
    const key = newKey();
    const message = Buffer.concat([Buffer.alloc(8, 1), key.idBytes, Buffer.alloc(8, 2)]);
    expect(Keyring.of(key).find(message.subarray(8, 16))).toBe(key);
  });

  it.each([0, 7, 9, 32])('finds nothing by %i bytes', (size) => {
    const key = newKey();
    const name = Buffer.concat([key.idBytes, Buffer.alloc(24)]).subarray(0, size);
    expect(Keyring.of(key).find(name)).toBeUndefined();
  });

  it('finds nothing by the id of a key that it does not contain', () => {
    expect(Keyring.of(newKey()).find(newKey().idBytes)).toBeUndefined();
  });

  it('refuses the same key twice', () => {
    const raw = generateKey();
    const [one, same] = [SecretKey.fromBytes(raw), SecretKey.fromBytes(raw)];
    expect(() => Keyring.of(one, newKey(), same)).toThrow(
      expect.objectContaining({ code: 'ERR_KEYRING_DUPLICATE', message: expect.stringContaining(one.id) }),
    );
  });

  it('shows only ids, however it is printed, and is immutable', () => {
    const keyring = Keyring.of(newKey(), newKey());
    const shown = `Keyring(${keyring.ids.join(', ')})`;
    expect([String(keyring), inspect(keyring), JSON.parse(JSON.stringify(keyring))]).toEqual([shown, shown, shown]);
    expect(Object.isFrozen(keyring)).toBe(true);
  });
});
