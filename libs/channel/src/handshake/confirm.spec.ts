import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';

import { KeyPair } from '@sealwire/crypto/internal';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { keyPairOf } from '../../../../test/support/key-pair.js';
import { encodeAnnouncement } from './announcement.js';
import { checkConfirmPrefix, CONFIRM_RECORD_BYTES, ConfirmVerifier, encodeConfirm, instanceIdOf } from './confirm.js';
import type { ConfirmedClient } from './confirm.js';

const HASH = Buffer.alloc(32, 0x68);
const INSTANCE = keyPairOf(Buffer.alloc(32, 1));
const EPHEMERAL = keyPairOf(Buffer.alloc(32, 2));
const ANNOUNCEMENT = { unixMs: 7, maxMessageBytes: 65_536, maxInFlight: 0, maxIncompleteBytes: 3 };
const CLIENT: ConfirmedClient = { instanceKey: INSTANCE.publicKey, announcement: ANNOUNCEMENT };

const failure = (code: string): unknown => expect.objectContaining({ code, fault: 'peer' });
const malformed = failure('ERR_HANDSHAKE_MALFORMED');
const unproved = failure('ERR_INSTANCE_PROOF');

const honest = (serverEphemeral = EPHEMERAL.publicKey, handshakeHash = HASH): Buffer =>
  encodeConfirm({ instance: INSTANCE, serverEphemeral, handshakeHash, announcement: ANNOUNCEMENT });
const verify = (body: Buffer, rejectSelf?: (instanceKey: Buffer) => boolean): ConfirmedClient =>
  new ConfirmVerifier(EPHEMERAL, HASH, rejectSelf).verify(body);

/** The body with another S, and the proof for it; `secret` is dh. */
function proving(instanceKey: Buffer, secret: Buffer): Buffer {
  const prk = createHmac('sha256', HASH).update(secret).digest();
  const proof = createHmac('sha256', prk).update('sealwire instance proof').update(instanceKey).digest();
  return Buffer.concat([instanceKey, proof.subarray(0, 16), encodeAnnouncement(ANNOUNCEMENT)]);
}

describe('CONFIRM', () => {
  it('has 78 bytes of body and 98 on the wire: S, proof, announcement', () => {
    const secret = INSTANCE.sharedSecret(EPHEMERAL.publicKey);
    expect(honest()).toEqual(proving(INSTANCE.publicKey, secret));
    expect(honest()).toHaveLength(78);
    expect(CONFIRM_RECORD_BYTES).toBe(98);
  });

  it('proves the instance key to the server whose ephemeral key it was made for', () => {
    expect(verify(honest())).toEqual(CLIENT);
  });

  it('cannot be made for a point of low order [R4.7]', () => {
    expect(() => honest(Buffer.alloc(32))).toThrow(malformed);
  });

  it('is refused at the first wrong byte of its length [R4.12]', () => {
    const record = Buffer.concat([Buffer.of(0, 96), Buffer.alloc(96)]);
    for (let bytes = 0; bytes <= record.length; bytes++) {
      expect(() => checkConfirmPrefix(record.subarray(0, bytes)), `${bytes} bytes`).not.toThrow();
    }
    for (let length = 0; length < 65_536; length++) {
      if (length === 96) continue;
      const field = Buffer.of(length >> 8, length & 0xff);
      expect(() => checkConfirmPrefix(field), `${length}`).toThrow(failure('ERR_RECORD_LENGTH'));
    }
    expect(() => checkConfirmPrefix(Buffer.of(1))).toThrow(failure('ERR_RECORD_LENGTH'));
  });
});

describe('the verifier of CONFIRM', () => {
  it('refuses every flipped bit of S and of the proof [R4.30]', () => {
    for (let bit = 0; bit < 48 * 8; bit++) {
      const body = honest();
      body.writeUInt8(body.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => verify(body), `bit ${bit & 7} of byte ${bit >> 3}`).toThrow(unproved);
    }
  });

  it('refuses a proof that was made for another server, or for another session with this server', () => {
    expect(() => verify(honest(KeyPair.generate().publicKey))).toThrow(unproved);
    expect(() => verify(honest(EPHEMERAL.publicKey, Buffer.alloc(32, 0x69)))).toThrow(unproved);
  });

  it('refuses the S of another client with a proof by its own key, which a key holder can make after seeing S', () => {
    const thief = KeyPair.generate();
    expect(() => verify(proving(INSTANCE.publicKey, thief.sharedSecret(EPHEMERAL.publicKey)))).toThrow(unproved);
  });

  it.each([
    ['0', '00'.repeat(32)],
    ['1', `01${'00'.repeat(31)}`],
    ['of order 8', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
    ['p', `ed${'ff'.repeat(30)}7f`],
  ])('refuses an S that is the low-order point %s, whatever the proof is [R4.7]', (_, point) => {
    expect(() => verify(proving(Buffer.from(point, 'hex'), Buffer.alloc(32)))).toThrow(malformed);
  });

  it('accepts an S with its top bit set as another instance, with its own proof', () => {
    const instanceKey = Buffer.from(INSTANCE.publicKey);
    instanceKey.writeUInt8(instanceKey.readUInt8(31) ^ 0x80, 31);
    const secret = INSTANCE.sharedSecret(EPHEMERAL.publicKey);
    expect(verify(proving(instanceKey, secret))).toEqual({ instanceKey, announcement: ANNOUNCEMENT });
  });

  it('refuses a feature that was not offered and limits that are too small, in this order and after the proof', () => {
    const both = honest();
    both.writeUInt32BE(1, 48 + 20);
    both.writeUInt32BE(65_535, 48 + 8);
    expect(() => verify(both)).toThrow(malformed);
    const small = honest();
    small.writeUInt32BE(65_535, 48 + 8);
    expect(() => verify(small)).toThrow(failure('ERR_PEER_LIMITS'));
    both.writeUInt8(both.readUInt8(32) ^ 1, 32);
    expect(() => verify(both)).toThrow(unproved);
  });

  it('ignores the reserved bytes, the clock and the in-flight limit of a client [R4.3] [R4.4]', () => {
    const body = honest().fill(0xff, 48, 56).fill(0xff, 60, 64).fill(0xff, 72);
    expect(verify(body).announcement).toMatchObject({ maxMessageBytes: 65_536, maxIncompleteBytes: 3 });
  });

  it('refuses an instance of its own process last of all, if rejectSelf is on', () => {
    const asked: Buffer[] = [];
    const rejectSelf = (instanceKey: Buffer): boolean => asked.push(instanceKey) > 0;
    const small = honest();
    small.writeUInt32BE(0, 48 + 8);
    expect(() => verify(small, rejectSelf)).toThrow(failure('ERR_PEER_LIMITS'));
    expect(asked).toEqual([]);
    expect(() => verify(honest(), rejectSelf)).toThrow(failure('ERR_SELF_CONNECTION'));
    expect(asked).toEqual([INSTANCE.publicKey]);
    expect(verify(honest(), () => false)).toEqual(CLIENT);
  });

  it('copies S, so that the buffer of the record may be reused', () => {
    const body = honest();
    const { instanceKey } = verify(body);
    body.fill(0);
    expect(instanceKey).toEqual(INSTANCE.publicKey);
  });

  it('fails with a specific code for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        expect(() => verify(Buffer.from(bytes))).toThrow(expect.objectContaining({ name: 'TransportError' }));
      }),
    );
  });
});

describe('the secret state of the verifier of CONFIRM', () => {
  it.each([
    ['a success', honest()],
    ['a failure', honest().fill(0, 32, 48)],
  ])('is erased after %s: it verifies nothing more, and does no other Diffie-Hellman [R4.23]', (_, body) => {
    const verifier = new ConfirmVerifier(EPHEMERAL, HASH);
    try {
      verifier.verify(body);
    } catch {
      // Whether it fails is the subject above.
    }
    const agree = vi.spyOn(EPHEMERAL, 'sharedSecret');
    expect(() => verifier.verify(honest())).toThrow(malformed);
    expect(agree).not.toHaveBeenCalled();
    agree.mockRestore();
  });

  it('is erased when no CONFIRM arrived', () => {
    const verifier = new ConfirmVerifier(EPHEMERAL, HASH);
    verifier.drop();
    expect(() => verifier.verify(honest())).toThrow(malformed);
  });

  it('is not shown when it is printed', () => {
    const printed = inspect(new ConfirmVerifier(EPHEMERAL, HASH), { showHidden: true, depth: 9 });
    expect(printed).not.toMatch(/68 68 68|68686868|02 02 02|02020202/);
  });
});

describe('the instance id of a client', () => {
  it('is a 16-byte hash of its instance key', () => {
    expect(instanceIdOf(Buffer.alloc(32, 1))).toHaveLength(16);
    expect(instanceIdOf(Buffer.alloc(32, 1))).not.toEqual(instanceIdOf(Buffer.alloc(32, 2)));
  });
});
