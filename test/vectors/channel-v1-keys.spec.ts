// The key schedule of docs/protocol.md §2, byte for byte.
import { deriveKeySchedule, hkdfExtract, keyId, SecretKey } from '@sealwire/crypto';
import { describe, expect, it } from 'vitest';

import vectors from './channel-v1.json' with { type: 'json' };

const key = Buffer.from(vectors.keyFile, 'hex');
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('the key schedule of channel-v1.json', () => {
  it('extracts the pseudorandom key', () => {
    expect(toHex(hkdfExtract(Buffer.from('sealwire key file v1'), key))).toBe(vectors.prk);
  });

  it('derives the pre-shared key, the key of envelopes and the key id', () => {
    const schedule = deriveKeySchedule(key);
    expect(toHex(schedule.psk)).toBe(vectors.psk);
    expect(toHex(schedule.jwe)).toBe(vectors.jweKey);
    expect(toHex(schedule.keyId)).toBe(vectors.keyId);
    expect(keyId(key)).toBe(vectors.keyId);
  });

  it('is of a key that is refused everywhere', () => {
    expect(() => SecretKey.fromBytes(key)).toThrow(expect.objectContaining({ code: 'ERR_KEY_PUBLISHED' }));
  });
});
