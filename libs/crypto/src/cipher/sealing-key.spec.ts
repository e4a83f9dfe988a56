import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { authenticatePlain, openPlain, sealPlain } from '../../../../test/support/plain-a128cbc-hs256.js';
import { CbcEncryptor } from './cbc-chain.js';
import { OpeningKey, sealedBytes, SealingKey } from './sealing-key.js';

const KEY = randomBytes(32);
const IV = randomBytes(16);
const AAD = Buffer.from('0123456789');
const openFails = expect.objectContaining({ code: 'ERR_OPEN_FAILED' }) as Error;

/** A copy with room for the padding, that may be overwritten. */
function withRoom(plaintext: Uint8Array): Buffer {
  return Buffer.concat([plaintext], plaintext.length + 16);
}

function seal(sealing: SealingKey, iv: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Buffer {
  const sealed = Buffer.alloc(sealedBytes(plaintext.length));
  sealing.sealInto(sealed, 0, iv, aad, withRoom(plaintext), plaintext.length);
  return sealed;
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const messages = fc.array(
  fc.record({ iv: fc.uint8Array({ minLength: 16, maxLength: 16 }), aad: bytes(40), plaintext: bytes(100) }),
  {
    minLength: 1,
    maxLength: 20,
  },
);

describe('a key for many messages', () => {
  it('seals and opens each of them according to the definition, after any other message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), messages, (key, all) => {
        const [sealing, opening] = [new SealingKey(key), new OpeningKey(key)];
        for (const { iv, aad, plaintext } of all) {
          const sealed = seal(sealing, iv, aad, plaintext);
          expect(sealed).toEqual(sealPlain(key, iv, aad, plaintext));
          expect(opening.open(iv, aad, sealed)).toEqual(Buffer.from(plaintext));
        }
      }),
    );
  });

  it.each([0, 1, 15, 16, 17, 4_095, 65_503, 65_504, 65_536, 200_000])(
    'accepts %i bytes like any other length',
    (size) => {
      const plaintext = randomBytes(size);
      const sealed = seal(new SealingKey(KEY), IV, AAD, plaintext);
      expect(sealed.equals(sealPlain(KEY, IV, AAD, plaintext))).toBe(true);
      const opening = new OpeningKey(KEY);
      expect(opening.open(IV, AAD, sealed).equals(plaintext)).toBe(true);
      expect(opening.open(IV, AAD, sealed).equals(openPlain(KEY, IV, AAD, sealed))).toBe(true);
    },
  );

  it('writes only to the given place', () => {
    const plaintext = Buffer.from('a plaintext');
    const target = Buffer.alloc(sealedBytes(plaintext.length) + 8, 0xee);
    new SealingKey(KEY).sealInto(target, 4, IV, AAD, withRoom(plaintext), plaintext.length);
    expect(target.subarray(0, 4)).toEqual(Buffer.alloc(4, 0xee));
    expect(target.subarray(-4)).toEqual(Buffer.alloc(4, 0xee));
  });

  it('refuses every flipped bit, and opens a genuine message afterwards', () => {
    const [sealing, opening] = [new SealingKey(KEY), new OpeningKey(KEY)];
    const plaintext = randomBytes(20);
    const sealed = seal(sealing, IV, AAD, plaintext);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const altered = Buffer.from(sealed);
      altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => opening.open(IV, AAD, altered)).toThrow(openFails);
    }
    expect(opening.open(IV, AAD, sealed)).toEqual(plaintext);
  });

  it.each([0, 15, 16, 31, 33, 47])('refuses sealed bytes of a length of %i', (size) => {
    expect(() => new OpeningKey(KEY).open(IV, AAD, Buffer.alloc(size))).toThrow(openFails);
  });

  it.each([
    ['another key', new OpeningKey(randomBytes(32)), IV, AAD],
    ['another IV', new OpeningKey(KEY), randomBytes(16), AAD],
    ['other associated data', new OpeningKey(KEY), IV, Buffer.from('012345678')],
  ])('does not open with %s', (_what, opening, iv, aad) => {
    expect(() => opening.open(iv, aad, seal(new SealingKey(KEY), IV, AAD, Buffer.from('x')))).toThrow(openFails);
  });

  it.each([
    ['no padding', Buffer.alloc(16, 0)],
    ['more than a block', Buffer.alloc(32, 17)],
    ['unlike bytes', Buffer.from('00000000000000000000000000020303', 'hex')],
  ])('fails in the same way for %s under a valid tag, and opens the next message', (_what, padded) => {
    const ciphertext = new CbcEncryptor(KEY.subarray(16)).encrypt(IV, Buffer.from(padded));
    const opening = new OpeningKey(KEY);
    expect(() => opening.open(IV, AAD, authenticatePlain(KEY, IV, AAD, ciphertext))).toThrow(openFails);
    expect(opening.open(IV, AAD, seal(new SealingKey(KEY), IV, AAD, Buffer.from('next')))).toEqual(Buffer.from('next'));
  });

  it.each([0, 16, 31, 33])('refuses a key of %i bytes', (size) => {
    for (const Key of [SealingKey, OpeningKey]) {
      expect(() => new Key(new Uint8Array(size))).toThrow(expect.objectContaining({ code: 'ERR_KEY_LENGTH' }) as Error);
    }
  });

  it('contains no printable key', () => {
    const shown = [new SealingKey(KEY), new OpeningKey(KEY)].map((key) => inspect(key, { showHidden: true, depth: 9 }));
    expect(shown).toEqual(['SealingKey {}', 'OpeningKey {}']);
  });
});
