import { inspect } from 'node:util';
import { serialize } from 'node:v8';

import { describe, expect, it } from 'vitest';

import { deriveKeySchedule, generateKey, keyId, Keyring, SecretKey } from '../index.js';

/** Every way in which bytes end up in a log. */
function spellings(bytes: Uint8Array): readonly string[] {
  const buffer = Buffer.from(bytes);
  const hex = buffer.toString('hex');
  return [
    hex,
    hex.toUpperCase(),
    hex.replace(/(..)(?=.)/g, '$1 '),
    buffer.toString('base64'),
    buffer.toString('base64url'),
    buffer.toString('latin1'),
    buffer.subarray(0, 8).join(','),
    buffer.subarray(0, 8).join(', '),
  ];
}

function printed(value: unknown): string {
  const deep = { showHidden: true, depth: 9, maxArrayLength: null } as const;
  return [
    inspect(value, deep),
    inspect(value, { ...deep, customInspect: false, getters: true }),
    inspect({ nested: [value] }, deep),
    JSON.stringify({ nested: [value] }),
    String(value),
    Object.values({ ...Object(value) }).join(),
    serialize({ ...Object(value) }).toString('latin1'),
  ].join('\n');
}

describe('SecretKey', () => {
  const raw = generateKey();
  const key = SecretKey.fromBytes(raw);
  const schedule = deriveKeySchedule(raw);

  it('contains the values of the schedule', () => {
    expect(key.id).toBe(keyId(raw));
    expect(key.idBytes).toEqual(schedule.keyId);
    expect(key.psk()).toEqual(schedule.psk);
    expect(key.jweKey()).toEqual(schedule.jwe);
  });

  it('returns copies, and reads its input only once', () => {
    const input = Uint8Array.from(raw);
    const fromInput = SecretKey.fromBytes(input);
    input.fill(0);
    fromInput.psk().fill(0);
    fromInput.jweKey().fill(0);
    fromInput.idBytes.fill(0);
    expect(fromInput.psk()).toEqual(schedule.psk);
    expect(fromInput.jweKey()).toEqual(schedule.jwe);
    expect(fromInput.idBytes).toEqual(schedule.keyId);
  });

  it('keeps its keys under another description', () => {
    const described = key.describedAs({ label: 'alice' });
    expect([described.psk(), described.jweKey()]).toEqual([schedule.psk, schedule.jwe]);
  });

  it('cannot be renamed', () => {
    expect(Object.isFrozen(key)).toBe(true);
  });

  it('shows its id and no secret, however it is printed', () => {
    const text = printed(key) + printed(Keyring.of(key));
    expect(text).toContain(key.id);
    for (const secret of [raw, schedule.psk, schedule.jwe]) {
      for (const spelling of spellings(secret)) expect(text).not.toContain(spelling);
    }
  });

  it('would be found by the search of the test above', () => {
    const control = printed({ psk: Buffer.from(schedule.psk), key: raw });
    expect(spellings(schedule.psk).some((spelling) => control.includes(spelling))).toBe(true);
    expect(spellings(raw).some((spelling) => control.includes(spelling))).toBe(true);
  });
});
