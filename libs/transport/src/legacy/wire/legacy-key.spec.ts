import { createCipheriv, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

import { keyId } from '@sealwire/crypto';
import { describe, expect, it } from 'vitest';

import { LegacyKey } from './legacy-key.js';

const file = randomBytes(32);
const key = LegacyKey.fromBytes(file);

describe('a legacy key', () => {
  it('takes the first 16 bytes for the key and the last 16 for the IV', () => {
    const cipher = createCipheriv('aes-128-cbc', file.subarray(0, 16), file.subarray(16));
    const expected = Buffer.concat([cipher.update('Hello Server!'), cipher.final()]);
    expect(key.encrypt(Buffer.from('Hello Server!'))).toEqual(expected);
    expect(key.decrypt(expected).toString()).toBe('Hello Server!');
  });

  it('encrypts equal texts to equal bytes: the weakness that the wire is stuck with', () => {
    expect(key.encrypt(Buffer.from('yes'))).toEqual(key.encrypt(Buffer.from('yes')));
  });

  it('lives on when the bytes it was made of are overwritten', () => {
    const bytes = Buffer.from(file);
    const copied = LegacyKey.fromBytes(bytes);
    bytes.fill(0);
    expect(copied.encrypt(Buffer.from('yes'))).toEqual(key.encrypt(Buffer.from('yes')));
  });

  it.each([0, 31, 33])('is not made of %i bytes', (length) => {
    expect(() => LegacyKey.fromBytes(randomBytes(length))).toThrow(expect.objectContaining({ code: 'ERR_KEY_LENGTH' }));
  });

  it('shows its id wherever it is printed, and nothing of its bytes', () => {
    const shown = [inspect(key, { showHidden: true, depth: 9 }), JSON.stringify({ key }), String(key)].join();
    expect(shown.split(keyId(file))).toHaveLength(4);
    for (const encoding of ['latin1', 'hex', 'base64'] as const) {
      expect(shown).not.toContain(file.subarray(0, 16).toString(encoding));
    }
  });

  const badPadding = createCipheriv('aes-128-cbc', file.subarray(0, 16), file.subarray(16)).setAutoPadding(false);
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['half a block', Buffer.alloc(8)],
    ['a block and a byte', Buffer.alloc(17)],
    ['bad padding', badPadding.update(Buffer.alloc(16))],
  ])('refuses %s in the same words, but for the length', (_, ciphertext) => {
    expect(() => key.decrypt(ciphertext)).toThrow(
      expect.objectContaining({
        code: 'ERR_LEGACY_MALFORMED',
        message: `Cannot decrypt ${ciphertext.length} bytes: not a message under this key`,
      }),
    );
  });
});
