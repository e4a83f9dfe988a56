import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { clock } from '@sealwire/crypto/internal';

import { EnvelopeOpener, EnvelopeSealer, sealJwe } from './index.js';
import type { EnvelopeHeader, EnvelopeOpenerOptions } from './index.js';

const key = SecretKey.fromBytes(generateKey());
const keys = Keyring.of(key);
const SUBJECT = 'nats:orders.created';
const SENDER = 'AAAAAAAAAAAAAAAAAAAAAA';
const NOW_MS = 1_767_225_600_500;
const NOW = 1_767_225_600;
const { unixMs, nowMs } = clock;

const newOpener = (options?: Partial<EnvelopeOpenerOptions>): EnvelopeOpener =>
  new EnvelopeOpener({ keys, service: 'orders', ...options });

let counter = 0;

function seal(header: Partial<EnvelopeHeader> = {}, by = key): string {
  const jti = `${SENDER}.${counter++}`;
  return sealJwe(by, { aud: 'orders', sub: SUBJECT, jti, iat: NOW, ...header }, Buffer.from('hello'));
}

beforeEach(() => {
  clock.unixMs = () => NOW_MS;
});

afterEach(() => {
  Object.assign(clock, { unixMs, nowMs });
});

describe('EnvelopeOpener', () => {
  it('opens what a sealer of the same service and key has sealed, from text and from bytes', () => {
    const sealer = new EnvelopeSealer({ keys, service: 'orders' });
    const opener = newOpener();
    for (const plaintext of [Buffer.alloc(0), Buffer.from('hello'), Buffer.alloc(70_000, 7)]) {
      for (const form of [String, Buffer.from]) {
        const opened = opener.open(SUBJECT, form(sealer.seal(SUBJECT, plaintext)));
        expect(opened).toMatchObject({ ok: true, key, subject: SUBJECT, issuedAt: NOW * 1000 });
        expect(opened.ok && plaintext.equals(opened.plaintext)).toBe(true);
      }
    }
    expect(sealer.sealed).toEqual({ [key.id]: 6 });
  });

  it.each([
    ['audience', seal({ aud: 'Orders' })],
    ['subject', seal({ sub: 'nats:orders.deleted' })],
    ['key', seal({}, SecretKey.fromBytes(generateKey()))],
    ['age', seal({ iat: NOW - 61 })],
    ['age', seal({ iat: NOW + 61 })],
    ['form', `${seal()}.`],
  ])('refuses an envelope with a wrong %s', (reason, envelope) => {
    expect(newOpener().open(SUBJECT, envelope)).toEqual({ ok: false, reason });
  });

  it('opens an envelope once', () => {
    const [opener, envelope] = [newOpener(), seal()];
    expect([1, 2, 3].map(() => opener.open(SUBJECT, envelope).ok)).toEqual([true, false, false]);
  });
});
