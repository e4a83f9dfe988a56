import { describe, expect, it } from 'vitest';

import { SecretKey } from '../index.js';

type Rule = (index: number) => number;

const keyOf = (rule: Rule): Uint8Array => Uint8Array.from({ length: 32 }, (_, index) => rule(index) & 0xff);

const codeOf = (key: Uint8Array): unknown => {
  try {
    return SecretKey.fromBytes(key);
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

/** Each value from the one before. */
function chain(first: number, next: (value: number) => number): Uint8Array {
  const values = [first];
  while (values.length < 32) values.push(next(values.at(-1) ?? 0));
  return Uint8Array.from(values);
}

function sums(...first: readonly number[]): Uint8Array {
  const values = [...first];
  while (values.length < 32) values.push(first.reduce((sum, _, back) => sum + (values.at(-1 - back) ?? 0), 0) & 0xff);
  return Uint8Array.from(values);
}

/** Everything that one rule makes with other constants, forwards and backwards. */
const variants = (rules: readonly Rule[]): readonly Uint8Array[] =>
  rules.flatMap((rule) => [keyOf(rule), keyOf(rule).toReversed()]);

const constants = [1, 2, 3, 5, 7, 11, 13, 16, 17, 29, 31, 37, 51, 64, 85, 97, 101, 127, 128, 170, 200, 211, 254, 255];
const primes = Array.from({ length: 256 }, (_, n) => n).filter(
  (n) => n > 1 && Array.from({ length: n }, (_, d) => d).every((d) => d < 2 || n % d > 0),
);
const reversedBits = (byte: number): number =>
  Number.parseInt(byte.toString(2).padStart(8, '0').split('').toReversed().join(''), 2);
const timesTwo = (value: number): number => (value << 1) ^ (value > 127 ? 0x11b : 0);

const patterns: Record<string, readonly Uint8Array[]> = {
  'an arithmetic sequence': variants(Array.from({ length: 256 }, (_, stride) => (index: number) => 5 + stride * index)),
  'an arithmetic sequence modulo another number': variants(constants.map((stride) => (i) => (9 + stride * i) % 251)),
  'an arithmetic sequence with three odd bytes': variants(
    constants.map((c) => (i) => ([4, 17, 25].includes(i) ? 7 : c * i)),
  ),
  squares: variants(constants.map((c) => (i) => c * i * i + 3 * i + 1)),
  cubes: variants(constants.map((c) => (i) => c * i * i * i)),
  'triangular numbers': variants(constants.map((c) => (i) => (c * i * (i + 1)) / 2)),
  'two sequences that take turns': variants(constants.map((c) => (i) => (i % 2 === 0 ? c * i : 255 - i))),
  'four sequences that take turns': variants(
    constants.map((c) => (i) => [c * i, 255 - i, 7 * i, 3 * i + 1][i % 4] ?? 0),
  ),
  'a sequence and its complement': variants(constants.map((c) => (i) => (i < 16 ? c * i : 255 - c * (i - 16)))),
  'a counter under a mask': variants(constants.map((c) => (i) => i ^ c)),
  'a stride under a mask': variants(
    constants.flatMap((c) => [3, 5, 7, 37].map((stride) => (i: number) => (stride * i) ^ c)),
  ),
  'Gray code': variants([(i) => i ^ (i >> 1)]),
  'reversed bits': variants([reversedBits, (i) => reversedBits(i * 3)]),
  'prime numbers': variants([(i) => primes[i] ?? 0, (i) => primes[i + 20] ?? 0]),
  'a geometric sequence': [256, 257, 251, 255].flatMap((m) =>
    constants.map((c) => chain(3, (value) => (value * c) % m)),
  ),
  'a linear congruential generator': constants.map((c) => chain(c, (value) => (value * 5 + c) & 0xff)),
  "Fibonacci's numbers": [sums(1, 1), sums(2, 1), sums(1, 1).toReversed(), sums(7, 30)],
  'powers in a field of 256': [
    chain(1, timesTwo),
    chain(1, (value) => value ^ timesTwo(value)),
    chain(1, timesTwo).toReversed(),
  ],
  'a shift register': [0xb8, 0xb4, 0x95, 0xfa].map((taps) =>
    chain(0xac, (value) => (value >> 1) ^ (value % 2 === 1 ? taps : 0)),
  ),
  'bytes of one range': variants([(i) => 100 + ((i * i * 7 + i * 13) % 61) + (i % 3)]),
  digits: [Buffer.from('3141592653589793238462643383279502884197169399375105820974944592', 'hex')],
  'a pattern of digits': [Buffer.from('0123456789abcdeffedcba987654321000112233445566778899aabbccddeeff', 'hex')],
  'a short pattern again and again': variants(
    [1, 2, 3, 4, 5, 7, 8, 11, 12, 16].map((period) => (i) => ((i % period) * 89) ^ 0x35),
  ),
};

describe('a key of 32 bytes', () => {
  it.each(Object.entries(patterns))('is refused if it is %s', (_, keys) => {
    const accepted = keys.filter((key) => !String(codeOf(key)).startsWith('ERR_KEY_'));
    expect(accepted.map((key) => Buffer.from(key).toString('hex'))).toEqual([]);
  });

  it('is accepted if it is random, each of 300 times', () => {
    let state = 0x9e3779b9; // xorshift32: the same keys in every run
    const next = (): number => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 8) & 0xff;
    };
    const refused = Array.from({ length: 300 }, () => keyOf(next)).filter((key) => typeof codeOf(key) === 'string');
    expect(refused).toEqual([]);
  });
});
