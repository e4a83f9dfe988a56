import { randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { LegacyKey } from './legacy-key.js';
import { CiphertextGatherer, decodeMessage, encodeMessage, MAX_CIPHERTEXT_BYTES } from './message.js';

const key = LegacyKey.fromBytes(randomBytes(32));

describe('a legacy message', () => {
  it.each([
    ['a text', 'Grüße', 'Grüße'],
    ['{ text }', { text: 'Hello' }, 'Hello'],
    ['bytes', Buffer.from('bytes'), 'bytes'],
    ['an empty text', '', ''],
  ])('is %s', (_, content, text) => {
    expect(decodeMessage(key, encodeMessage(key, content))).toEqual({ text });
  });

  it('shows invalid UTF-8 as U+FFFD', () => {
    expect(decodeMessage(key, encodeMessage(key, Buffer.from([0x61, 0xff, 0x62])))).toEqual({ text: 'a\ufffdb' });
  });

  it.each([[5], [null], [undefined], [{}], [{ text: 5 }], [['text']]])('cannot be %j', (content) => {
    expect(() => encodeMessage(key, content)).toThrow(
      expect.objectContaining({ code: 'ERR_MESSAGE_UNSERIALIZABLE', sent: false }),
    );
  });

  it('has at most 1 MiB of ciphertext', () => {
    expect(encodeMessage(key, Buffer.alloc(MAX_CIPHERTEXT_BYTES - 1))).toHaveLength(MAX_CIPHERTEXT_BYTES);
    expect(() => encodeMessage(key, Buffer.alloc(MAX_CIPHERTEXT_BYTES))).toThrow(
      expect.objectContaining({ code: 'ERR_MESSAGE_TOO_LARGE' }),
    );
  });
});

describe('the gathered ciphertext', () => {
  it('is the same however it was split', () => {
    const ciphertext = randomBytes(200);
    for (let step = 1; step <= ciphertext.length; step++) {
      const gatherer = new CiphertextGatherer();
      for (let at = 0; at < ciphertext.length; at += step) gatherer.push(ciphertext.subarray(at, at + step));
      expect(gatherer.take()).toEqual(ciphertext);
    }
  });

  it('never uses more than 1 MiB, and refuses the first excess byte', () => {
    const gatherer = new CiphertextGatherer();
    const chunk = Buffer.alloc(MAX_CIPHERTEXT_BYTES / 16 - 1, 7);
    for (let count = 0; count < 16; count++) gatherer.push(chunk);
    gatherer.push(Buffer.alloc(16, 7));
    expect(gatherer.take()).toHaveLength(MAX_CIPHERTEXT_BYTES);
    expect(gatherer.take().buffer.byteLength).toBe(MAX_CIPHERTEXT_BYTES);
    expect(() => gatherer.push(Buffer.alloc(1))).toThrow(expect.objectContaining({ code: 'ERR_MESSAGE_TOO_LARGE' }));
  });

  it('is empty if no byte arrived', () => {
    expect(new CiphertextGatherer().take()).toHaveLength(0);
  });
});
