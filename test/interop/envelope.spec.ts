// Envelopes are standard JWEs: other implementations of JOSE open those that we seal, and we open theirs.
import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import { EnvelopeOpener, EnvelopeSealer } from '@sealwire/envelope';
import { describe, expect, it } from 'vitest';

import { ENVELOPE_PEERS } from '../support/envelope-peers.js';
import type { EnvelopeJwk } from '../support/envelope-peers.js';

const SIZES = [0, 1, 16, 1000, 200_000];
const SUBJECT = 'mqtt:größe/"🔒"';
const SENDER = 'sLGys7S1tre4ubq7vL2-vw';

const key = SecretKey.fromBytes(generateKey());
const options = { keys: Keyring.of(key), service: 'orders' };
const k = Buffer.from(key.jweKey()).toString('base64url');
const jwk: EnvelopeJwk = { kty: 'oct', k, alg: 'A128CBC-HS256', use: 'enc', kid: key.id };

const plaintextOf = (bytes: number): Buffer => Buffer.alloc(bytes, 'é\u0000ÿ');

/** The header that a peer seals under, as docs/envelope.md §3 has it. */
function headerOf(counter: number): object {
  const members = { aud: 'orders', sub: SUBJECT, iat: Math.floor(Date.now() / 1000), jti: `${SENDER}.${counter}` };
  return { alg: 'dir', enc: 'A128CBC-HS256', kid: key.id, typ: 'sealwire+jwe', ...members };
}

for (const { name, missing } of ENVELOPE_PEERS) if (missing !== undefined) console.warn(`Skipped ${name}: ${missing}`);

describe.each(ENVELOPE_PEERS.map((peer) => ({ peer, name: peer.name, why: peer.missing ?? 'is installed' })))(
  'envelopes and $name ($why)',
  ({ peer }) => {
    const opener = new EnvelopeOpener(options);
    const sealer = new EnvelopeSealer(options);

    it.skipIf(peer.missing).each(SIZES.filter((bytes) => bytes > 0 || peer.opensEmpty))(
      'the other opens %i bytes that we sealed',
      async (bytes) => {
        const opened = await peer.open(jwk, sealer.seal(SUBJECT, plaintextOf(bytes)));
        expect(plaintextOf(bytes).equals(opened)).toBe(true);
      },
    );

    it.skipIf(peer.missing).each(SIZES)('we open %i bytes that the other sealed', async (bytes) => {
      const opened = opener.open(SUBJECT, await peer.seal(jwk, headerOf(bytes), plaintextOf(bytes)));
      expect(opened).toMatchObject({ ok: true, subject: SUBJECT, jti: `${SENDER}.${bytes}` });
      expect(opened.ok && plaintextOf(bytes).equals(opened.plaintext)).toBe(true);
    });

    it.skipIf(peer.missing)('neither opens an altered one', async () => {
      const altered = (envelope: string): string => `${envelope.slice(0, -22)}AAAAAAAAAAAAAAAAAAAAAA`;
      await expect(peer.open(jwk, altered(sealer.seal(SUBJECT, plaintextOf(9))))).rejects.toBeInstanceOf(Error);
      const theirs = altered(await peer.seal(jwk, headerOf(9), plaintextOf(9)));
      expect(opener.open(SUBJECT, theirs)).toEqual({ ok: false, reason: 'tag' });
    });
  },
);
