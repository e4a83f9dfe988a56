import { inspect } from 'node:util';

import { describe, expect, it } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
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

describe('Keyring.ofRing', () => {
  it('finds a key only within its time window, and only if it is primary or accepted', () => {
    const time = FakeClock.install();
    const { nowMs } = time;
    const key = newKey();
    const find = (of: object): string | undefined =>
      Keyring.ofRing([{ key, state: 'accept', ...of }]).find(key.idBytes)?.id;
    expect([find({}), find({ state: 'primary' })]).toEqual([key.id, key.id]);
    expect([find({ state: 'retired' }), find({ state: 'revoked' })]).toEqual([undefined, undefined]);
    expect([find({ notBefore: nowMs }), find({ notBefore: nowMs + 1 })]).toEqual([key.id, undefined]);
    expect([find({ notAfter: nowMs + 1 }), find({ notAfter: nowMs })]).toEqual([key.id, undefined]);
  });

  it('evaluates time windows at each call', () => {
    const time = FakeClock.install();
    const [primary, next] = [newKey(), newKey()];
    const keyring = Keyring.ofRing([
      { key: next, state: 'accept', notBefore: time.nowMs + 10 },
      { key: primary, state: 'primary', notAfter: time.nowMs + 20 },
    ]);
    expect(keyring.ids).toEqual([primary.id]);
    time.advance(10);
    expect(keyring.ids).toEqual([primary.id, next.id]);
    expect(keyring.primary).toBe(primary);
    time.advance(10);
    expect(keyring.ids).toEqual([next.id]);
    expect(keyring.find(primary.idBytes)).toBeUndefined();
    expect(() => keyring.primary).toThrow(
      expect.objectContaining({
        code: 'ERR_KEYRING_NO_PRIMARY',
        message: expect.stringMatching(`${primary.id} .* until 1970-01-01T00:00:01.020Z`),
      }),
    );
  });

  it('may have no primary key: it answers handshakes and throws for those that it should start', () => {
    const key = newKey();
    const keyring = Keyring.ofRing([{ key, state: 'accept' }]);
    expect(keyring.find(key.idBytes)).toBe(key);
    expect(() => keyring.primary).toThrow(expect.objectContaining({ code: 'ERR_KEYRING_NO_PRIMARY' }));
  });

  it('refuses two primary keys', () => {
    const keys = [newKey(), newKey()].map((key) => ({ key, state: 'primary' }) as const);
    expect(() => Keyring.ofRing(keys)).toThrow(expect.objectContaining({ code: 'ERR_KEYRING_PRIMARY' }));
  });

  it('describes its usable keys by ids and labels', () => {
    const time = FakeClock.install();
    const [labelled, plain, retired] = [
      SecretKey.fromBytes(generateKey(), 'The key', { label: 'billing' }),
      newKey(),
      SecretKey.fromBytes(generateKey(), 'The key', { label: 'old' }),
    ];
    const keyring = Keyring.ofRing([
      { key: labelled, state: 'accept' },
      { key: retired, state: 'retired' },
      { key: plain, state: 'primary' },
    ]);
    expect(keyring.status).toEqual({
      ids: [plain.id, labelled.id],
      labels: { [labelled.id]: 'billing' },
      primary: plain.id,
      loadedAt: time.nowMs,
    });
  });
});
