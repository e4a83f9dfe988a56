import type { CipherSuite } from '@sealwire/crypto/internal';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { sealPlainAt } from '../../../../test/support/plain-a128cbc-hs256.js';
import { SUITE } from '../record/record.js';
import { CipherState, SymmetricState } from './symmetric-state.js';

const NAME = 'Noise_NNpsk0_25519_A128CBC/HS256_SHA256';
const KEY = Buffer.alloc(32, 7);
const AD = Buffer.from('associated');
const PROLOGUE = Buffer.from('prologue');
const NOTHING = Buffer.alloc(0);

const begin = (psk = KEY, prologue = PROLOGUE, name = NAME): SymmetricState =>
  new SymmetricState(SUITE, name, prologue, psk);
const hashAtStart = (name: string): Buffer => begin(KEY, PROLOGUE, name).handshakeHash;

/** One step of a pattern on both sides, and what `two` knows of `input` afterwards. */
function take(step: 'mixKey' | 'mixHash' | 'seal', one: SymmetricState, two: SymmetricState, input: Buffer): Buffer {
  if (step === 'seal') return two.openAndHash(one.sealAndHash(input));
  one[step](input);
  two[step](input);
  return input;
}

const badMac = expect.objectContaining({ code: 'ERR_BAD_MAC', fault: 'peer' });
const bytes = fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array));

describe('CipherState', () => {
  it('seals the same bytes differently each time and opens them in that order only', () => {
    const sender = new CipherState(SUITE, KEY);
    const receiver = new CipherState(SUITE, KEY);
    const sealed = [0, 1, 2].map(() => sender.seal(AD, NOTHING));
    expect(new Set(sealed.map((one) => one.toString('hex'))).size).toBe(3);
    for (const one of sealed) expect(receiver.open(AD, one)).toEqual(NOTHING);
    for (const one of sealed) expect(() => receiver.open(AD, one)).toThrow(badMac);
  });

  it('counts from 0', () => {
    const sender = new CipherState(SUITE, KEY);
    for (const n of [0, 1, 2]) expect(sender.seal(AD, KEY)).toEqual(sealPlainAt(KEY, n, AD, KEY));
  });

  it('keeps its state when opening fails', () => {
    const sender = new CipherState(SUITE, KEY);
    const receiver = new CipherState(SUITE, KEY);
    const sealed = sender.seal(AD, KEY);
    const forged = Buffer.from(sealed).fill(0, 0, 1);
    for (const _ of [1, 2, 3]) expect(() => receiver.open(AD, forged)).toThrow(badMac);
    expect(receiver.open(AD, sealed)).toEqual(KEY);
  });

  it('keeps its state when sealing fails', () => {
    const counters: number[] = [];
    const failing: CipherSuite = {
      ...SUITE,
      createSealer: (key, n) => {
        counters.push(n);
        if (counters.length === 1) throw new Error('no memory');
        return SUITE.createSealer(key, n);
      },
    };
    const sender = new CipherState(failing, KEY);
    expect(() => sender.seal(AD, KEY)).toThrow('no memory');
    sender.seal(AD, KEY);
    sender.seal(AD, KEY);
    expect(counters).toEqual([0, 0, 1]);
  });
});

describe('SymmetricState', () => {
  it('keeps two sides in step through any sequence of mixing and sealing', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('mixKey', 'mixHash', 'seal'), bytes), { maxLength: 12 });
    fc.assert(
      fc.property(steps, bytes, (list, prologue) => {
        const [one, two] = [begin(KEY, prologue), begin(KEY, prologue)];
        for (const [step, input] of list) expect(take(step, one, two, input)).toEqual(input);
        expect(two.handshakeHash).toEqual(one.handshakeHash);
        expect(two.split()).toEqual(one.split());
      }),
    );
  });

  it.each([
    ['psk', begin(Buffer.alloc(32, 8))],
    ['prologue', begin(KEY, Buffer.from('prologu'))],
    ['protocol name', begin(KEY, PROLOGUE, 'Noise_NNpsk0_25519_AESGCM_SHA256')],
  ])('opens nothing of a side with another %s', (_, other) => {
    expect(() => other.openAndHash(begin().sealAndHash(KEY))).toThrow(badMac);
  });

  it.each(['mixKey', 'mixHash'] as const)('opens nothing of a side that differs by one %s', (step) => {
    const [one, two] = [begin(), begin()];
    one[step](Buffer.from('a'));
    two[step](Buffer.from('b'));
    expect(() => two.openAndHash(one.sealAndHash(KEY))).toThrow(badMac);
  });

  it('binds a payload to the ones before it', () => {
    const [one, two, late] = [begin(), begin(), begin()];
    two.openAndHash(one.sealAndHash(Buffer.from('first')));
    const second = one.sealAndHash(Buffer.from('second'));
    expect(() => late.openAndHash(second)).toThrow(badMac);
    expect(two.openAndHash(second)).toEqual(Buffer.from('second'));
  });

  it('is unchanged by a ciphertext that does not open', () => {
    const [one, two] = [begin(), begin()];
    const before = two.handshakeHash;
    const sealed = one.sealAndHash(KEY);
    expect(() => two.openAndHash(Buffer.alloc(sealed.length))).toThrow(badMac);
    expect(two.handshakeHash).toEqual(before);
    expect(two.openAndHash(sealed)).toEqual(KEY);
  });

  it('begins with a name of up to 32 bytes unchanged, and with the hash of a longer one', () => {
    expect(hashAtStart('short')).toEqual(hashAtStart(`short${'\0'.repeat(27)}`));
    expect(hashAtStart('short')).not.toEqual(hashAtStart(`short${'\0'.repeat(28)}`));
  });

  it('splits into two different keys of 32 bytes', () => {
    const { initiatorKey, responderKey } = begin().split();
    expect([initiatorKey.length, responderKey.length]).toEqual([32, 32]);
    expect(initiatorKey).not.toEqual(responderKey);
  });
});
