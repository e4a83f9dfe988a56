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
      for (const form of [String, (text: string) => Buffer.from(text)]) {
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

  it('opens an envelope once, and another one of the same sender later or earlier', () => {
    const [opener, first, second] = [newOpener(), seal(), seal()];
    expect([second, first, second, first].map((envelope) => opener.open(SUBJECT, envelope))).toMatchObject([
      { ok: true },
      { ok: true },
      { ok: false, reason: 'replay' },
      { ok: false, reason: 'replay' },
    ]);
  });

  it('opens an envelope until its age is over, and not again afterwards', () => {
    const opener = newOpener();
    const [early, late] = [seal({ iat: NOW + 60 }), seal({ iat: NOW - 59 })];
    for (const envelope of [early, late]) expect(opener.open(SUBJECT, envelope).ok).toBe(true);
    for (const passedMs of [1000, 60_000, 119_000]) {
      clock.unixMs = () => NOW_MS + passedMs;
      clock.nowMs = () => nowMs() + passedMs;
      expect(opener.open(SUBJECT, early)).toEqual({ ok: false, reason: 'replay' });
    }
    clock.unixMs = () => NOW_MS + 121_000;
    expect(opener.open(SUBJECT, early)).toEqual({ ok: false, reason: 'age' });
  });

  it('refuses an old envelope after its clock was set back', () => {
    const [opener, envelope] = [newOpener(), seal()];
    expect(opener.open(SUBJECT, envelope).ok).toBe(true);
    for (const hours of [1, 2]) {
      clock.unixMs = () => NOW_MS + hours * 3_600_000;
      clock.nowMs = () => nowMs() + hours * 3_600_000;
      expect(opener.open(SUBJECT, seal({ iat: NOW + hours * 3600 })).ok).toBe(true);
    }
    clock.unixMs = () => NOW_MS;
    expect(opener.open(SUBJECT, envelope)).toEqual({ ok: false, reason: 'replay' });
  });

  it('uses up the id of no envelope that it refuses', () => {
    const opener = newOpener();
    const envelope = seal();
    const other = { aud: 'orders', sub: SUBJECT, jti: `${SENDER}.${counter - 1}`, iat: NOW };
    for (const member of [{ aud: 'payments' }, { sub: 'nats:x' }, { iat: NOW - 61 }])
      expect(opener.open(SUBJECT, sealJwe(key, { ...other, ...member }, Buffer.alloc(1))).ok).toBe(false);
    const altered = `${envelope.slice(0, -22)}AAAAAAAAAAAAAAAAAAAAAA`;
    expect(opener.open(SUBJECT, altered)).toEqual({ ok: false, reason: 'tag' });
    expect(opener.open(SUBJECT, envelope).ok).toBe(true);
  });

  it('keeps the ids of the holders of two keys apart [E6.4]', () => {
    const mallory = SecretKey.fromBytes(generateKey());
    const opener = newOpener({ keys: Keyring.of(key, mallory) });
    const header = { aud: 'orders', sub: SUBJECT, jti: `${SENDER}.${counter++}`, iat: NOW };
    const [stolen, genuine] = [mallory, key].map((by) => opener.open(SUBJECT, sealJwe(by, header, Buffer.alloc(1))));
    expect([stolen, genuine]).toMatchObject([
      { ok: true, id: `${mallory.id}.${header.jti}` },
      { ok: true, id: `${key.id}.${header.jti}` },
    ]);
  });

  it('remembers ids when the keys are loaded again', () => {
    const raw = generateKey();
    const load = () => Keyring.of(SecretKey.fromBytes(raw));
    let loaded = load();
    const opener = newOpener({ keys: { primary: loaded.primary, find: (idBytes) => loaded.find(idBytes) } });
    const envelope = seal({}, loaded.primary);
    expect(opener.open(SUBJECT, envelope).ok).toBe(true);
    loaded = load();
    expect(opener.open(SUBJECT, envelope)).toEqual({ ok: false, reason: 'replay' });
    loaded = keys;
    expect(opener.open(SUBJECT, envelope)).toEqual({ ok: false, reason: 'key' });
  });

  it('opens an envelope of any age again and again, if both checks are off', () => {
    const opener = newOpener({ maxAgeMs: 'off', replay: 'off' });
    const envelope = seal({ iat: 0 });
    for (const _ of [1, 2]) expect(opener.open(SUBJECT, envelope)).toMatchObject({ ok: true, issuedAt: 0 });
  });

  it('accepts every subject for undefined, and returns the sealed one', () => {
    expect(newOpener().open(undefined, seal({ sub: 'nats:other' }))).toMatchObject({ ok: true, subject: 'nats:other' });
  });

  it('returns the key that a reply is sealed with', () => {
    const alice = SecretKey.fromBytes(generateKey()).describedAs({ label: 'alice', patterns: ['orders.*'] });
    const ring = Keyring.of(key, alice);
    const [server, client] = [newOpener({ keys: ring }), newOpener({ keys: Keyring.of(alice) })];
    const request = server.open(
      SUBJECT,
      new EnvelopeSealer({ keys: Keyring.of(alice), service: 'orders' }).seal(SUBJECT, Buffer.from('1')),
    );
    expect(request.ok && request.key.label).toBe('alice');
    const sealer = new EnvelopeSealer({ keys: ring, service: 'orders' });
    const reply = sealer.seal('nats:_INBOX.1', Buffer.from('2'), request.ok ? request.key : undefined);
    expect(client.open('nats:_INBOX.1', reply).ok).toBe(true);
    expect(sealer.sealed).toEqual({ [alice.id]: 1 });
  });

  it.each<[string, Record<string, unknown>]>([
    ['keys', { keys: undefined }],
    ['keys', { keys: {} }],
    ['service', { service: '' }],
    ['service', { service: 7 }],
    ['maxEnvelopeBytes', { maxEnvelopeBytes: 0 }],
    ['maxAgeMs', { maxAgeMs: 0 }],
    ['maxAgeMs', { maxAgeMs: 86_400_001 }],
    ['maxAgeMs', { maxAgeMs: 'none' }],
    ['replay', { replay: 'on' }],
    ['replay', { maxAgeMs: 'off' }],
  ])('refuses a wrong option %s: %j', (name, options) => {
    const failure = { code: 'ERR_ENVELOPE_OPTION', message: expect.stringContaining(name) };
    expect(() => newOpener(options as Partial<EnvelopeOpenerOptions>)).toThrow(expect.objectContaining(failure));
  });
});

describe('EnvelopeSealer', () => {
  it('numbers its envelopes, and has a sender of its own', () => {
    const ids = [1, 2].map(() => {
      const sealer = new EnvelopeSealer({ keys, service: 'orders' });
      return [1, 2, 3].map(() => {
        const [header = ''] = sealer.seal(SUBJECT, Buffer.alloc(0)).split('.');
        return (JSON.parse(Buffer.from(header, 'base64url').toString()) as EnvelopeHeader).jti.split('.');
      });
    });
    expect(ids.map((all) => all.map(([, number]) => number))).toEqual([
      ['0', '1', '2'],
      ['0', '1', '2'],
    ]);
    expect(new Set(ids.flat().map(([sender]) => sender)).size).toBe(2);
  });

  it('counts only what it has sealed', () => {
    const sealer = new EnvelopeSealer({ keys, service: 'orders', maxEnvelopeBytes: 400 });
    sealer.seal(SUBJECT, Buffer.alloc(1));
    const failure = expect.objectContaining({ code: 'ERR_ENVELOPE_TOO_LARGE' });
    expect(() => sealer.seal(SUBJECT, Buffer.alloc(400))).toThrow(failure);
    expect(sealer.sealed).toEqual({ [key.id]: 1 });
  });

  it('throws the error of the source of keys, and without a source that of the option', () => {
    const sealer = new EnvelopeSealer({ keys: Keyring.ofRing([{ key, state: 'accept' }]), service: 'orders' });
    expect(() => sealer.seal(SUBJECT, Buffer.alloc(1))).toThrow(
      expect.objectContaining({ code: 'ERR_KEYRING_NO_PRIMARY' }),
    );
    expect(() => new EnvelopeSealer({ service: 'orders' } as EnvelopeOpenerOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_ENVELOPE_OPTION' }),
    );
  });
});
