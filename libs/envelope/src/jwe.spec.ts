import fc from 'fast-check';

import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import { OpeningKey } from '@sealwire/crypto/internal';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { openJwe, sealJwe } from './index.js';
import type { EnvelopeHeader, OpenJweOptions } from './index.js';

const key = SecretKey.fromBytes(generateKey());
const keys = Keyring.of(key);
const HEADER = { aud: 'orders', sub: 'nats:orders.created', jti: 'AAAAAAAAAAAAAAAAAAAAAA.7', iat: 1_767_225_600 };
const PLAINTEXT = Buffer.from('a message of more than one block');
const SEALED = sealJwe(key, HEADER, PLAINTEXT);

const open = (envelope: string | Uint8Array, options?: Partial<OpenJweOptions>) =>
  openJwe(envelope, { keys, ...options });

/** One of the texts that a broker or its user could choose. */
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
const headers = fc.record({
  aud: text,
  sub: text,
  jti: fc
    .tuple(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.maxSafeNat())
    .map(([sender, counter]) => `${Buffer.from(sender).toString('base64url')}.${counter}`),
  iat: fc.maxSafeNat(),
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('sealJwe and openJwe', () => {
  it('open what was sealed, whatever the header and the message are', () => {
    fc.assert(
      fc.property(headers, fc.uint8Array({ maxLength: 100 }), (header, plaintext) => {
        const opened = open(sealJwe(key, header, plaintext));
        expect(opened).toMatchObject({ ok: true, key, header });
        expect(opened.ok && Uint8Array.from(opened.plaintext)).toEqual(plaintext);
      }),
    );
  });

  it.each([0, 1, 15, 16, 17, 65_536, 1_000_000])('take a message of %i bytes, and give it a fresh buffer', (bytes) => {
    const plaintext = Buffer.alloc(bytes, 'xyz');
    const opened = [1, 2].map(() => open(sealJwe(key, HEADER, plaintext)));
    const buffers = opened.map((each) => (each.ok ? each.plaintext : undefined));
    expect(buffers.map((buffer) => buffer !== undefined && plaintext.equals(buffer))).toEqual([true, true]);
    expect(buffers[0]?.buffer).not.toBe(buffers[1]?.buffer);
  });

  it('neither keep nor change what they are given', () => {
    const plaintext = Buffer.from(PLAINTEXT);
    const bytes = Buffer.from(sealJwe(key, HEADER, plaintext));
    const before = bytes.toString();
    const opened = open(bytes);
    expect([plaintext.toString(), bytes.toString()]).toEqual([PLAINTEXT.toString(), before]);
    bytes.fill(0);
    expect(opened.ok && String(opened.plaintext)).toBe(PLAINTEXT.toString());
  });

  it('never use an IV twice', () => {
    const ivs = Array.from({ length: 1000 }, () => sealJwe(key, HEADER, PLAINTEXT).split('.')[2]);
    expect(new Set(ivs).size).toBe(1000);
  });
});

describe('sealJwe', () => {
  it.each<[string, Partial<EnvelopeHeader>]>([
    ['an empty service', { aud: '' }],
    ['an empty subject', { sub: '' }],
    ['a subject with a lone surrogate', { sub: 'nats:\uD800' }],
    ['a jti of another form', { jti: '1' }],
    ['an iat with a fraction', { iat: 1.5 }],
    ['a negative iat', { iat: -1 }],
    ['a header of more than 1,024 bytes', { sub: 'é'.repeat(450) }],
  ])('refuses %s', (_what, member) => {
    const failure = expect.objectContaining({ name: 'EnvelopeError', code: 'ERR_ENVELOPE_HEADER' });
    expect(() => sealJwe(key, { ...HEADER, ...member }, PLAINTEXT)).toThrow(failure);
  });

  it('refuses a message exactly if its envelope is too large', () => {
    fc.assert(
      fc.property(fc.nat(70), fc.nat(3), (bytes, missing) => {
        const plaintext = new Uint8Array(bytes);
        const { length } = sealJwe(key, HEADER, plaintext);
        const seal = () => sealJwe(key, HEADER, plaintext, length - missing).length;
        if (missing === 0) expect(seal()).toBe(length);
        else expect(seal).toThrow(expect.objectContaining({ code: 'ERR_ENVELOPE_TOO_LARGE' }));
      }),
    );
  });
});

describe('openJwe', () => {
  it('refuses every envelope with one other byte, and never decrypts it [E5.4]', () => {
    const decrypt = vi.spyOn(OpeningKey.prototype, 'decrypt');
    const bytes = Buffer.from(SEALED);
    const reasons = new Set<string>();
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const altered = Buffer.from(bytes);
        altered[at] = (altered[at] ?? 0) ^ (1 << bit);
        const opened = open(altered);
        reasons.add(opened.ok ? 'opened' : opened.reason);
      }
    }
    expect(reasons).toEqual(new Set(['form', 'key', 'tag']));
    expect(decrypt).not.toHaveBeenCalled();
  });

  it('refuses every part of an envelope, and everything after it', () => {
    const lengths = Array.from(SEALED, (_, at) => at);
    const cut = lengths.flatMap((at) => [SEALED.slice(0, at), SEALED.slice(at + 1), SEALED + SEALED.slice(0, at + 1)]);
    expect(cut.filter((envelope) => open(envelope).ok)).toEqual([]);
  });

  it('throws for no input', () => {
    const parts = fc.oneof(fc.constantFrom(...SEALED.split('.')), fc.base64String({ maxLength: 40 }), fc.string());
    const joined = fc.array(parts, { maxLength: 6 }).map((list) => list.join('.'));
    const inputs = fc.oneof(joined, fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 400 }));
    const property = fc.property(inputs, (input) => open(input).ok === (String(input) === SEALED));
    expect(() => fc.assert(property)).not.toThrow();
  });

  it('opens nothing that is larger than allowed, and decodes nothing of it [E5.3]', () => {
    const find = vi.spyOn(Keyring.prototype, 'find');
    expect(open(SEALED, { maxEnvelopeBytes: SEALED.length - 1 })).toEqual({ ok: false, reason: 'form' });
    expect(open(Buffer.from(SEALED), { maxEnvelopeBytes: SEALED.length - 1 })).toMatchObject({ reason: 'form' });
    expect(find).not.toHaveBeenCalled();
    expect(open(SEALED, { maxEnvelopeBytes: SEALED.length }).ok).toBe(true);
  });

  it('asks for one key, once [E5.5]', () => {
    const others = Array.from({ length: 5 }, () => SecretKey.fromBytes(generateKey()));
    const ring = Keyring.of(key, ...others);
    const find = vi.spyOn(Keyring.prototype, 'find');
    const verify = vi.spyOn(OpeningKey.prototype, 'verify');
    const altered = `${SEALED.slice(0, -22)}AAAAAAAAAAAAAAAAAAAAAA`;
    expect(openJwe(altered, { keys: ring })).toEqual({ ok: false, reason: 'tag' });
    expect(find.mock.calls).toEqual([[Buffer.from(key.id, 'hex')]]);
    expect(verify).toHaveBeenCalledTimes(1);
  });

  it('checks the claims after the tag, and before it decrypts [E5.1]', () => {
    const steps: string[] = [];
    vi.spyOn(OpeningKey.prototype, 'verify').mockImplementation(() => steps.push('tag') > 0);
    vi.spyOn(OpeningKey.prototype, 'decrypt').mockImplementation(() => {
      steps.push('decrypt');
      return Buffer.alloc(0);
    });
    const check = () => {
      steps.push('claims');
      return undefined;
    };
    open(SEALED, { check });
    expect(steps).toEqual(['tag', 'claims', 'decrypt']);
    expect(open(SEALED, { check: () => 'age' })).toEqual({ ok: false, reason: 'age' });
    expect(steps).toEqual(['tag', 'claims', 'decrypt', 'tag']);
  });

  it('refuses, and warns, if the source of keys throws', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const failing = {
      find: () => {
        throw new Error('of the source');
      },
    };
    expect(openJwe(SEALED, { keys: failing })).toEqual({ ok: false, reason: 'key' });
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it('refuses what is neither text nor bytes', () => {
    const values: readonly unknown[] = [undefined, null, 7, {}, [], { length: 3 }, new ArrayBuffer(8)];
    for (const value of values) expect(open(value as string)).toEqual({ ok: false, reason: 'form' });
  });
});
