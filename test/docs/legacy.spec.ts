import { readFileSync } from 'node:fs';

import { decryptAes128Cbc, encryptAes128Cbc } from '@sealwire/crypto';
import { describe, expect, it } from 'vitest';

const text = readFileSync(new URL('../../docs/legacy.md', import.meta.url), 'utf8');
const file = Buffer.from('0123456789abcdefFEDCBA9876543210');
const [key, iv] = [file.subarray(0, 16), file.subarray(16)];

const encrypt = (plaintext: string): Buffer => Buffer.from(encryptAes128Cbc(key, iv, Buffer.from(plaintext)));

describe('docs/legacy.md', () => {
  it('shows the key file of its examples', () => {
    expect(text).toContain(file.toString());
  });

  it('shows the ciphertexts of equal texts, and of one with the same beginning', () => {
    const rows = [...text.matchAll(/^\| `(The answer is no[^`]*)`.*\| `([0-9a-f]+)` \|$/gm)];
    expect(rows).toHaveLength(3);
    for (const [, plaintext = '', ciphertext] of rows) expect(encrypt(plaintext).toString('hex')).toBe(ciphertext);
  });

  it('shows the effect of an altered message', () => {
    const ciphertext = encrypt('Transfer number:pay 100 to Alice');
    expect(text).toContain(ciphertext.subarray(0, 16).toString('hex'));
    expect(ciphertext[4]).toBe(0x42);
    ciphertext[4] = 0x4a;
    const altered = Buffer.from(decryptAes128Cbc(key, iv, ciphertext))
      .subarray(16)
      .toString();
    expect(text).toContain(`\n${altered}\n`);
  });
});
