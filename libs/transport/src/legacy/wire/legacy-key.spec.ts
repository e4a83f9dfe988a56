import { createCipheriv, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

import { keyId } from '@sealwire/crypto';
import { describe, expect, it } from 'vitest';

import { LegacyKey } from './legacy-key.js';

const file = randomBytes(32);
const key = LegacyKey.fromBytes(file);

describe('a legacy key', () => {
  it('uses the first 16 bytes as the key and the last 16 as the IV', () => {
    const cipher = createCipheriv('aes-128-cbc', file.subarray(0, 16), file.subarray(16));
    const expected = Buffer.concat([cipher.update('Hello Server!'), cipher.final()]);
    expect(key.encrypt(Buffer.from('Hello Server!'))).toEqual(expected);
    expect(key.decrypt(expected).toString()).toBe('Hello Server!');
  });

  it('encrypts equal texts to equal bytes, which is the known weakness of the wire', () => {
    expect(key.encrypt(Buffer.from('yes'))).toEqual(key.encrypt(Buffer.from('yes')));
  });

  it('is independent of the bytes that it was created from', () => {
    const bytes = Buffer.from(file);
    const copied = LegacyKey.fromBytes(bytes);
    bytes.fill(0);
    expect(copied.encrypt(Buffer.from('yes'))).toEqual(key.encrypt(Buffer.from('yes')));
  });

  it.each([0, 31, 33])('is not created from %i bytes', (length) => {
    expect(() => LegacyKey.fromBytes(randomBytes(length))).toThrow(expect.objectContaining({ code: 'ERR_KEY_LENGTH' }));
  });

  it('shows its id and none of its bytes, however it is printed', () => {
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
  ])('refuses %s with the same words, except for the length', (_, ciphertext) => {
    expect(() => key.decrypt(ciphertext)).toThrow(
      expect.objectContaining({
        code: 'ERR_LEGACY_MALFORMED',
        message: `Cannot decrypt ${ciphertext.length} bytes: they are not a message that was encrypted with this key`,
      }),
    );
  });
});
