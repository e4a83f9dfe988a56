import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';

import { describe, expect, it, vi } from 'vitest';

import { keyPairOf } from '../../../../test/support/key-pair.js';
import { KeyPair } from './x25519.js';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const notAgreed = expect.objectContaining({ code: 'ERR_PUBLIC_KEY', fault: 'input' });

// Every u of order 1, 2, 4 or 8, canonical or not.
const LOW_ORDER = [
  ['0', '0000000000000000000000000000000000000000000000000000000000000000'],
  ['1', '0100000000000000000000000000000000000000000000000000000000000000'],
  ['of order 8', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
  ['of order 8, the other', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'],
  ['p - 1', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  ['p', 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  ['p + 1', 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
] as const;

describe('an ephemeral X25519 key', () => {
  it('agrees with RFC 7748 §6.1', () => {
    const bob = keyPairOf(hex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'));
    const alice = hex('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
    expect(bob.publicKey).toEqual(hex('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'));
    expect(bob.sharedSecret(alice)).toEqual(hex('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742'));
  });

  it('is different each time, and any two agree', () => {
    const [one, two] = [KeyPair.generate(), KeyPair.generate()];
    expect(one.publicKey).toHaveLength(32);
    expect(one.publicKey).not.toEqual(two.publicKey);
    expect(one.sharedSecret(two.publicKey)).toEqual(two.sharedSecret(one.publicKey));
  });

  it('has the public key that its private key derives from the base point', () => {
    for (let made = 0; made < 20; made++) {
      const pair = KeyPair.generate();
      expect(pair.publicKey).toEqual(pair.sharedSecret(Buffer.alloc(32).fill(9, 0, 1)));
    }
  });

  it('is created without exporting a key object, which can block the process for good', () => {
    const { privateKey, publicKey } = generateKeyPairSync('x25519');
    const exports = [privateKey, publicKey].map((key) => vi.spyOn(Object.getPrototypeOf(key), 'export'));
    expect(KeyPair.generate().publicKey).toHaveLength(32);
    for (const spy of exports) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
  });

  it.each(LOW_ORDER)('refuses the point %s, with and without the unused bit [R4.7]', (_, point) => {
    const ephemeral = KeyPair.generate();
    const publicKey = hex(point);
    expect(() => ephemeral.sharedSecret(publicKey)).toThrow(notAgreed);
    publicKey.writeUInt8(publicKey.readUInt8(31) | 0x80, 31);
    expect(() => ephemeral.sharedSecret(publicKey)).toThrow(notAgreed);
  });

  it('refuses a public key of any length but 32', () => {
    const ephemeral = KeyPair.generate();
    for (let bytes = 0; bytes <= 96; bytes++) {
      if (bytes === 32) continue;
      expect(() => ephemeral.sharedSecret(Buffer.alloc(bytes, 9)), `${bytes} bytes`).toThrow(notAgreed);
    }
  });

  it('shows no private key when it is printed', () => {
    const privateKey = Buffer.alloc(32, 0x6b);
    const ephemeral = keyPairOf(privateKey);
    const printed = inspect(ephemeral, { showHidden: true, depth: 9 }) + JSON.stringify(ephemeral);
    expect(printed).toContain('publicKey');
    for (const secret of [
      '6b6b6b6b',
      '6b 6b 6b 6b',
      '107,107,107',
      'kkkk',
      privateKey.toString('base64').slice(0, 8),
    ]) {
      expect(printed).not.toContain(secret);
    }
  });
});

interface WycheproofTest {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly public: string;
  readonly private: string;
  readonly shared: string;
}

const WYCHEPROOF = join(import.meta.dirname, '../../../../../shared/vectors/wycheproof/x25519_test.json');

function loadTests(): readonly WycheproofTest[] {
  const { testGroups } = JSON.parse(readFileSync(WYCHEPROOF, 'utf8')) as {
    readonly testGroups: readonly { readonly tests: readonly WycheproofTest[] }[];
  };
  return testGroups.flatMap(({ tests }) => tests);
}

const nameOf = ({ tcId, comment }: WycheproofTest): string => `#${tcId} ${comment}`;
const agree = (test: WycheproofTest): Buffer => keyPairOf(hex(test.private)).sharedSecret(hex(test.public));
const endsInZeros = ({ flags }: WycheproofTest): boolean => flags.includes('ZeroSharedSecret');

describe.skipIf(!existsSync(WYCHEPROOF))('X25519 by Wycheproof', () => {
  it('agrees in every case that ends in a secret', () => {
    const tests = loadTests().filter((test) => !endsInZeros(test));
    expect(tests.length).toBeGreaterThan(450);
    for (const test of tests) expect(agree(test), nameOf(test)).toEqual(hex(test.shared));
  });

  it('refuses every case that ends in zeros [R4.7]', () => {
    const tests = loadTests().filter(endsInZeros);
    expect(tests.length).toBeGreaterThan(30);
    for (const test of tests) expect(() => agree(test), nameOf(test)).toThrow(notAgreed);
  });
});
