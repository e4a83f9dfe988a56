// The reference values of docs/envelope.md, byte for byte.
import { deriveKeySchedule, hkdfExtract, SecretKey } from '@sealwire/crypto';
import type { KeySource } from '@sealwire/crypto';
import { clock } from '@sealwire/crypto/internal';
import { EnvelopeOpener, openJwe } from '@sealwire/envelope';
import type { OpenedJwe, Refused } from '@sealwire/envelope';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { writeHeader } from '#envelope/header.js';
import { writeJwe } from '#envelope/jwe.js';

import vectors from './envelope-v1.json' with { type: 'json' };

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const { unixMs } = clock;
const { service, subject } = vectors;

/** The key of the reference values, which no SecretKey can be made of: it is refused everywhere. */
const key = { id: vectors.keyId, jweKey: () => hex(vectors.cek) } as unknown as SecretKey;
const keys: KeySource = {
  primary: key,
  find: (idBytes) => (toHex(idBytes) === vectors.keyId ? key : undefined),
};

/** Has opened all that open, and so refuses them. */
function openerOfAll(): EnvelopeOpener {
  const opener = new EnvelopeOpener({ keys, service });
  for (const { envelope, subject: each } of vectors.envelopes) expect(opener.open(each, envelope).ok).toBe(true);
  return opener;
}

const open = (envelope: string): OpenedJwe | Refused => openJwe(envelope, { keys });

beforeAll(() => {
  clock.unixMs = () => vectors.unixSeconds * 1000;
});

afterAll(() => {
  clock.unixMs = unixMs;
});

describe('the key of envelope-v1.json', () => {
  it('is derived from the key file', () => {
    const { jwe, keyId } = deriveKeySchedule(hex(vectors.keyFile));
    expect(toHex(hkdfExtract(Buffer.from('sealwire key file v1'), hex(vectors.keyFile)))).toBe(vectors.prk);
    expect([toHex(jwe), toHex(keyId)]).toEqual([vectors.cek, vectors.keyId]);
  });

  it('is the key of the JWK', () => {
    const k = hex(vectors.cek).toString('base64url');
    expect(vectors.jwk).toEqual({ kty: 'oct', k, alg: 'A128CBC-HS256', use: 'enc', kid: vectors.keyId });
  });

  it('is refused as a key file', () => {
    expect(() => SecretKey.fromBytes(hex(vectors.keyFile))).toThrow(
      expect.objectContaining({ code: 'ERR_KEY_PUBLISHED' }),
    );
  });
});

describe('the envelopes of envelope-v1.json', () => {
  it.each(vectors.envelopes)('$name: opens to its plaintext and its header', ({ header, plaintext, envelope }) => {
    const opened = open(envelope);
    expect(opened.ok && toHex(opened.plaintext)).toBe(plaintext);
    const { alg: _alg, enc: _enc, typ: _typ, ...members } = JSON.parse(header) as Record<string, unknown>;
    expect(opened).toMatchObject({ header: members });
  });

  it.each(vectors.envelopes.filter(({ written }) => written))(
    '$name: is the text that we seal',
    ({ header, iv, plaintext, envelope }) => {
      const { aud, sub, jti, iat } = JSON.parse(header) as { aud: string; sub: string; jti: string; iat: number };
      const bytes = writeHeader(vectors.keyId, { aud, sub, jti, iat });
      expect(bytes.toString()).toBe(header);
      expect(writeJwe(key, bytes.toString('base64url'), hex(iv), hex(plaintext))).toBe(envelope);
    },
  );
});

describe.each([
  { form: 'text', encode: (envelope: string) => envelope },
  { form: 'bytes', encode: (envelope: string) => Buffer.from(envelope) },
])('the refusals of envelope-v1.json as $form', ({ encode }) => {
  let opener: EnvelopeOpener;

  beforeAll(() => {
    opener = openerOfAll();
  });

  it.each(vectors.refused)('$name: $reason [$rule]', ({ envelope, reason }) => {
    expect(opener.open(subject, encode(envelope))).toEqual({ ok: false, reason });
  });
});
