import { inspect } from 'node:util';

import { describe, expect, it } from 'vitest';

import { Random } from '../../../../test/support/random.js';
import { findSecrets } from '../../../../test/support/secret-forms.js';
import { CryptoError, generateKey, keyId, SecretKey } from '../index.js';
import { MAX_TIMESTAMP } from '../keys/timestamp.js';
import { KEY_STATES } from '../keys/ring-key.js';
import type { KeyringFileEntry } from './entry.js';
import { formatKeyringFile, isKeyringFile, MAX_KEYRING_BYTES, parseKeyringFile } from './ring-file.js';

const ORIGIN = 'Key file /k';
const [first, second, third] = [generateKey(), generateKey(), generateKey()] as const;
const K = Buffer.from(first).toString('base64url');

const jwk = (key: Uint8Array, more: object = {}): Record<string, unknown> => ({
  kty: 'oct',
  kid: keyId(key),
  alg: 'A128CBC-HS256',
  label: 'billing',
  state: 'accept',
  k: Buffer.from(key).toString('base64url'),
  ...more,
});

const without = (name: string): object =>
  Object.fromEntries(Object.entries(jwk(first)).filter(([other]) => other !== name));
const bytesOf = (set: unknown): Uint8Array =>
  new TextEncoder().encode(typeof set === 'string' ? set : JSON.stringify(set));
const parse = (set: unknown) => parseKeyringFile(bytesOf(set), ORIGIN);
const parseOne = (entry: unknown) => parse({ keys: [entry] });

/** What is refused, the value, the code without its first part, and a part of the message. */
type Refused = [string, unknown, string, RegExp];

function refusalOf(set: unknown): CryptoError {
  try {
    parse(set);
  } catch (error) {
    if (error instanceof CryptoError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('parseKeyringFile', () => {
  it('returns each key with its bytes, id, label, state, window and patterns', () => {
    const [billing, audit] = parse({
      keys: [
        jwk(first, { state: 'primary' }),
        jwk(second, {
          label: 'Prüfung № 2',
          notBefore: '2027-01-01T00:00:00Z',
          notAfter: '2027-02-01T01:00:00.5+01:00',
          patterns: ['sum', 'audit.*'],
        }),
      ],
    });
    expect(billing).toMatchObject({ bytes: first, state: 'primary', notBefore: undefined, notAfter: undefined });
    expect(billing?.key).toMatchObject({ id: keyId(first), label: 'billing', patterns: undefined });
    expect(billing?.key.psk()).toEqual(SecretKey.fromBytes(first).psk());
    expect(audit).toMatchObject({
      bytes: second,
      state: 'accept',
      notBefore: Date.UTC(2027, 0, 1),
      notAfter: Date.UTC(2027, 1, 1, 0, 0, 0, 500),
    });
    expect(audit?.key).toMatchObject({ label: 'Prüfung № 2', patterns: ['sum', 'audit.*'] });
    expect(audit?.bytes.buffer.byteLength).toBe(32);
  });

  it('accepts a ring without a primary key, labels that repeat, and white space', () => {
    const [one, two] = parse(`\n\t ${JSON.stringify({ keys: [jwk(first), jwk(second)] }, null, 4)} \r\n`);
    expect([one?.key.label, two?.key.label]).toEqual(['billing', 'billing']);
  });

  it.each(KEY_STATES)('accepts the state %s', (state) => {
    expect(parseOne(jwk(first, { state }))[0]).toMatchObject({ state });
  });

  it('does not change the bytes that it reads', () => {
    const bytes = bytesOf({ keys: [jwk(first)] });
    const copy = bytes.slice();
    parseKeyringFile(bytes, ORIGIN);
    expect(bytes).toEqual(copy);
  });

  const ENTRIES: readonly Refused[] = [
    ['a text in place of an entry', 'x', 'FORMAT', /keys\[0\] is "x"; it must be an object/],
    ['no entry but null', null, 'FORMAT', /keys\[0\] is null/],
    ...['kty', 'kid', 'alg', 'label', 'state', 'k'].map((name): Refused => [
      `no ${name}`,
      without(name),
      'FORMAT',
      new RegExp(`has no member ${name}$`),
    ]),
    [
      'a misspelt member',
      jwk(first, { notafter: '2027-01-01T00:00:00Z' }),
      'FORMAT',
      /unknown member notafter; expected only .*notAfter/,
    ],
    ['a member of another JWK', jwk(first, { use: 'enc' }), 'FORMAT', /unknown member use;/],
    ['a key as the name of a member', jwk(first, { [K]: 1 }), 'FORMAT', /an unknown member;/],
    ['another kty', jwk(first, { kty: 'RSA' }), 'FORMAT', /"RSA" as kty; it must be "oct"/],
    ['another alg', jwk(first, { alg: 'A256GCM' }), 'FORMAT', /"A256GCM" as alg; it must be "A128CBC-HS256"/],
    ['a number as alg', jwk(first, { alg: 1 }), 'FORMAT', /a number as alg/],
    ['a kid in capitals', jwk(first, { kid: 'ABCDEF0123456789' }), 'FORMAT', /kid; it must be the key id/],
    [
      'the kid of another key',
      jwk(first, { kid: keyId(second) }),
      'ID',
      new RegExp(`does not match its key, whose id is ${keyId(first)}`),
    ],
    ['an empty label', jwk(first, { label: '' }), 'FORMAT', /label; it must be 1 to 64 printable/],
    ['a label of white space', jwk(first, { label: '  ' }), 'FORMAT', /label; it must be/],
    ['a label with a space at its end', jwk(first, { label: 'billing ' }), 'FORMAT', /with no space at either end/],
    ['a label with a space at its start', jwk(first, { label: ' billing' }), 'FORMAT', /label; it must be/],
    ['a label of 65 characters', jwk(first, { label: 'x'.repeat(65) }), 'FORMAT', /a string of 65 characters as label/],
    ['a label with a line feed', jwk(first, { label: 'a\nb' }), 'FORMAT', /label; it must be/],
    ['a label that turns the direction of text', jwk(first, { label: 'a\u202eb' }), 'FORMAT', /label; it must be/],
    ['a lone surrogate in a label', jwk(first, { label: '\ud800' }), 'FORMAT', /label; it must be/],
    ['a label like a key id', jwk(first, { label: '0123456789ABCDEF' }), 'FORMAT', /label; it must be/],
    ['the key as its label', jwk(first, { label: K }), 'FORMAT', /a string of 43 characters as label/],
    ['a number as label', jwk(first, { label: 7 }), 'FORMAT', /a number as label/],
    [
      'an unknown state',
      jwk(first, { state: 'Primary' }),
      'FORMAT',
      /"Primary" as state; it must be one of primary, accept, retired, revoked/,
    ],
    ['null as state', jwk(first, { state: null }), 'FORMAT', /null as state/],
    ['the key as its state', jwk(first, { state: K }), 'FORMAT', /a string of 43 characters as state/],
    [
      'a date without a time',
      jwk(first, { notBefore: '2027-01-31' }),
      'FORMAT',
      /"2027-01-31" as notBefore; it must be an RFC 3339 timestamp/,
    ],
    [
      'a day that does not exist',
      jwk(first, { notAfter: '2027-02-30T00:00:00Z' }),
      'FORMAT',
      /"2027-02-30T00:00:00Z" as notAfter/,
    ],
    ['a number as notAfter', jwk(first, { notAfter: 1_800_000_000 }), 'FORMAT', /a number as notAfter/],
    ['null as notAfter', jwk(first, { notAfter: null }), 'FORMAT', /null as notAfter/],
    [
      'a window that ends when it begins',
      jwk(first, { notBefore: '2027-01-01T00:00:00Z', notAfter: '2027-01-01T00:00:00Z' }),
      'FORMAT',
      /has a notAfter that is not later than its notBefore/,
    ],
    ['patterns that are a text', jwk(first, { patterns: 'sum' }), 'FORMAT', /wrong patterns; they must be an array/],
    ['no patterns', jwk(first, { patterns: [] }), 'FORMAT', /wrong patterns/],
    ['an empty pattern', jwk(first, { patterns: [''] }), 'FORMAT', /wrong patterns/],
    ['a number as a pattern', jwk(first, { patterns: [1] }), 'FORMAT', /wrong patterns/],
    ['a pattern with * before its end', jwk(first, { patterns: ['a*b'] }), 'FORMAT', /\* only at the end/],
    ['a pattern with two *', jwk(first, { patterns: ['a**'] }), 'FORMAT', /wrong patterns/],
    ['a pattern twice', jwk(first, { patterns: ['a', 'a'] }), 'FORMAT', /different strings/],
    ['a pattern of 257 characters', jwk(first, { patterns: ['x'.repeat(257)] }), 'FORMAT', /wrong patterns/],
    ['65 patterns', jwk(first, { patterns: Array.from({ length: 65 }, String) }), 'FORMAT', /1 to 64/],
    ['the key as a pattern', jwk(first, { patterns: [K] }), 'FORMAT', /wrong patterns/],
    [
      'a k with padding',
      jwk(first, { k: `${K}=` }),
      'FORMAT',
      /wrong k, which is not shown; it must be 32 bytes in base64url/,
    ],
    ['a k of 31 bytes', jwk(first, { k: K.slice(0, -2) }), 'FORMAT', /wrong k/],
    ['a k in hex', jwk(first, { k: Buffer.from(first).toString('hex') }), 'FORMAT', /wrong k/],
    ['an object as k', jwk(first, { k: { text: K } }), 'FORMAT', /wrong k/],
    [
      'a weak key',
      jwk(Buffer.alloc(32, 7)),
      'ERR_KEY_REPEATED_BYTE',
      /keys\[0\] \(kid .*, label "billing"\) has the same value in every byte/,
    ],
  ];

  it.each(ENTRIES)('refuses %s, and names the entry', (_what, entry, code, message) => {
    const error = refusalOf({ keys: [entry] });
    expect(error).toMatchObject({
      code: code.startsWith('ERR_') ? code : `ERR_KEYRING_${code}`,
      message: expect.stringMatching(message),
    });
    expect(error.message).toMatch(/^Key file \/k: keys\[0\]/);
    expect(findSecrets([inspect(error), String(error.stack)], { first, half: first.subarray(0, 16) })).toEqual([]);
  });

  it('refuses an entry after right ones, and names it by index, kid and label', () => {
    const { message } = refusalOf({ keys: [jwk(first), jwk(second, { label: 'audit', state: 'old' })] });
    expect(message).toMatch(`${ORIGIN}: keys[1] (kid ${keyId(second)}, label "audit") has "old" as state`);
  });

  it.each<[string, unknown, string, RegExp]>([
    ['an array', [jwk(first)], 'FORMAT', /no member "keys"; expected an object with an array of keys/],
    ['a set without keys', {}, 'FORMAT', /no member "keys"/],
    ['one key in place of the set', jwk(first), 'FORMAT', /no member "keys"/],
    ['an object as keys', { keys: {} }, 'FORMAT', /an object as "keys"/],
    ['another member of the set', { keys: [jwk(first)], version: 1 }, 'FORMAT', /members other than "keys"/],
    ['an empty ring', { keys: [] }, 'FORMAT', /has no keys/],
    [
      'the same key twice',
      { keys: [jwk(first), jwk(second), jwk(first, { label: 'x' })] },
      'DUPLICATE',
      /contains key [0-9a-f]{16} twice/,
    ],
    [
      'two primary keys',
      { keys: [jwk(first, { state: 'primary' }), jwk(second, { state: 'primary' })] },
      'PRIMARY',
      /at most one/,
    ],
    ['257 keys', { keys: Array.from({ length: 257 }, () => 0) }, 'SIZE', /has 257 keys; expected at most 256/],
    [
      'more than 64 KiB',
      `${JSON.stringify({ keys: [jwk(first)] })}${' '.repeat(MAX_KEYRING_BYTES)}`,
      'SIZE',
      /at most 256 keys in 65536 bytes/,
    ],
    [
      'half of a file',
      JSON.stringify({ keys: [jwk(first)] }).slice(0, 100),
      'JSON',
      /is not valid JSON at line 1, byte \d+ of the file: /,
    ],
    ['a member twice', '{"keys":[{"kty":"oct","kty":"oct"}]}', 'JSON', /a member occurs twice/],
    ['a k without quotes', JSON.stringify({ keys: [jwk(first)] }).replace(`"${K}"`, K), 'JSON', /expected a/],
  ])('refuses %s', (_what, set, code, message) => {
    const error = refusalOf(set);
    expect(error).toMatchObject({ code: `ERR_KEYRING_${code}`, message: expect.stringMatching(message) });
    expect(error.message).toMatch(/^Key file \/k/);
    expect(findSecrets([inspect(error)], { first })).toEqual([]);
  });

  it('does not check the strength of a known key again', () => {
    const weak = Buffer.alloc(32, 7);
    const known = new Map([[keyId(weak), SecretKey.fromBytes(third)]]);
    const [entry] = parseKeyringFile(bytesOf({ keys: [jwk(weak)] }), ORIGIN, known);
    expect(entry?.key.label).toBe('billing');
  });

  it('does not confuse a key that is known with another one of the same kid', () => {
    const known = new Map([[keyId(second), SecretKey.fromBytes(second)]]);
    expect(() => parseKeyringFile(bytesOf({ keys: [jwk(first, { kid: keyId(second) })] }), ORIGIN, known)).toThrow(
      expect.objectContaining({ code: 'ERR_KEYRING_ID' }),
    );
  });
});

describe('formatKeyringFile', () => {
  const entryOf = (bytes: Uint8Array, rest: Partial<KeyringFileEntry> = {}): KeyringFileEntry => ({
    bytes,
    key: SecretKey.fromBytes(bytes, 'The key', { label: 'billing' }),
    state: 'accept',
    ...rest,
  });

  it('returns one key on each line, which JSON.parse and parseKeyringFile read', () => {
    const content = formatKeyringFile([
      entryOf(first, { state: 'primary', notAfter: Date.UTC(2027, 0, 1) }),
      entryOf(second),
    ]);
    const text = new TextDecoder().decode(content);
    expect(text.split('\n')).toHaveLength(7);
    expect(JSON.parse(text)).toEqual({
      keys: [jwk(first, { state: 'primary', notAfter: '2027-01-01T00:00:00.000Z' }), jwk(second)],
    });
    expect(isKeyringFile(content)).toBe(true);
    expect(content.buffer.byteLength).toBe(content.length);
  });

  it.each<[string, readonly KeyringFileEntry[], string]>([
    ['no keys', [], 'ERR_KEYRING_FORMAT'],
    ['a key without a label', [entryOf(first, { key: SecretKey.fromBytes(first) })], 'ERR_KEYRING_FORMAT'],
    ['the bytes of another key', [entryOf(first, { key: SecretKey.fromBytes(second) })], 'ERR_KEYRING_FORMAT'],
    [
      'two primary keys',
      [entryOf(first, { state: 'primary' }), entryOf(second, { state: 'primary' })],
      'ERR_KEYRING_PRIMARY',
    ],
    ['an empty window', [entryOf(first, { notBefore: 2, notAfter: 1 })], 'ERR_KEYRING_FORMAT'],
  ])('refuses %s', (_what, entries, code) => {
    expect(() => formatKeyringFile(entries)).toThrow(expect.objectContaining({ code }));
  });

  it('returns the content from which parseKeyringFile reads the same keys, whatever they are', () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = new Random(seed);
    for (let run = 0; run < 60; run++) {
      const entries = anyEntries(random);
      const read = parseKeyringFile(
        formatKeyringFile(entries),
        ORIGIN,
        new Map(entries.map(({ key }) => [key.id, key])),
      );
      expect(read.map(comparable), `seed ${seed}, run ${run}`).toEqual(entries.map(comparable));
    }
  });
});

function comparable({ bytes, key, state, notBefore, notAfter }: KeyringFileEntry): object {
  return { bytes, id: key.id, label: key.label, patterns: key.patterns, psk: key.psk(), state, notBefore, notAfter };
}

const CHARACTERS = ['a', 'Z', '0', ' x', '"', '\\', '{', '}', ',', ':', 'ß', '漢', '😀', '/', "'", '.'] as const;

function anyEntries(random: Random): readonly KeyringFileEntry[] {
  return Array.from({ length: 1 + random.below(5) }, (_, index) => {
    const bytes = generateKey();
    const notBefore = random.oneIn(2) ? random.below(MAX_TIMESTAMP) : undefined;
    const latest = notBefore ?? 0;
    const notAfter = random.oneIn(2) ? latest + 1 + random.below(MAX_TIMESTAMP - latest) : undefined;
    const patterns = random.oneIn(2)
      ? [...new Set(Array.from({ length: 1 + random.below(5) }, () => anyPattern(random)))]
      : undefined;
    const key = SecretKey.fromBytes(bytes, 'The key', { label: anyText(random, 12), patterns });
    const state = index === 0 ? random.pick(KEY_STATES) : random.pick(['accept', 'retired', 'revoked'] as const);
    return { bytes, key, state, notBefore, notAfter };
  });
}

function anyText(random: Random, most: number): string {
  return `x${Array.from({ length: random.below(most) }, () => random.pick(CHARACTERS)).join('')}`;
}

function anyPattern(random: Random): string {
  return anyText(random, 40) + (random.oneIn(2) ? '*' : '');
}
