import { KeyPair } from '@sealwire/crypto/internal';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SUITE } from '../record/record.js';
import type { Announcement } from './announcement.js';
import { receiveMessage2, startInitiator } from './initiator.js';
import type { InitiatorOptions } from './initiator.js';
import { decodeMessage2, encodeHeader, encodeMessage1, encodePrologue } from './messages.js';
import { beginNnpsk0, writeFirst } from './nnpsk0.js';
import { encodePayload1 } from './payload.js';
import { respond } from './responder.js';
import type { ResponderOptions } from './responder.js';

const KEY = { keyId: Buffer.from('0b56bfc1696f34ec', 'hex'), psk: Buffer.alloc(32, 0x6b) };
const SERVICE = 'orders';
const CLIENT: Announcement = {
  unixMs: 1_700_000_000_000,
  maxMessageBytes: 8 * 1024 * 1024,
  maxInFlight: 0,
  maxIncompleteBytes: 64 * 1024 * 1024,
};
const OPTIONS: ResponderOptions = {
  service: SERVICE,
  instanceId: Buffer.alloc(16, 0xbb),
  announcement: { ...CLIENT, maxInFlight: 1024 },
};
const INITIATOR: InitiatorOptions = { service: SERVICE, announcement: CLIENT, instance: KeyPair.generate() };

const failure = (code: string): unknown => expect.objectContaining({ code, fault: 'peer' });
const malformed = failure('ERR_HANDSHAKE_MALFORMED');
const badMac = failure('ERR_BAD_MAC');
const unknownKey = failure('ERR_UNKNOWN_KEY');

const findPsk: Parameters<typeof respond>[0] = (keyId) => (keyId.equals(KEY.keyId) ? KEY.psk : undefined);
const neverAsked = (): never => expect.unreachable('asked');
const answer = (message1: Buffer, options = OPTIONS): ReturnType<typeof respond> => respond(findPsk, options, message1);
const honest = (key = KEY, service = SERVICE): Buffer => startInitiator(key, { ...INITIATOR, service }).message1;

/** A client that holds the key and sends whatever it likes. */
function rogueMessage1(payload: Buffer, publicKey = KeyPair.generate().publicKey): Buffer {
  const header = encodeHeader(KEY.keyId);
  const symmetric = beginNnpsk0({ suite: SUITE, prologue: encodePrologue(header, SERVICE), psk: KEY.psk });
  return encodeMessage1(header, writeFirst(symmetric, { publicKey } as KeyPair, payload));
}

describe('the responder', () => {
  it('yields the session of the initiator with the directions swapped', () => {
    const { state, message1 } = startInitiator(KEY, INITIATOR);
    const { message2, session, verifier } = answer(message1);
    const { outgoingKey, incomingKey, peer, confirm } = receiveMessage2(state, message2);
    expect(session).toEqual({ outgoingKey: incomingKey, incomingKey: outgoingKey, keyId: KEY.keyId });
    expect(peer).toEqual(OPTIONS.announcement);
    expect([outgoingKey.length, incomingKey.length]).toEqual([32, 32]);
    expect(verifier.verify(confirm)).toEqual({ instanceKey: INITIATOR.instance.publicKey, announcement: CLIENT });
  });

  it('agrees with the initiator on any service name and any limits', () => {
    const u32 = fc.integer({ min: 65_536, max: 0xffff_ffff });
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.tuple(u32, u32, u32), (service, [most, flight, incomplete]) => {
        const limits = { maxMessageBytes: most, maxInFlight: flight, maxIncompleteBytes: incomplete };
        const announcement = { ...OPTIONS.announcement, ...limits };
        const { state, message1 } = startInitiator(KEY, { ...INITIATOR, service });
        const { message2, session } = answer(message1, { ...OPTIONS, service, announcement });
        expect(receiveMessage2(state, message2)).toMatchObject({ peer: limits, outgoingKey: session.incomingKey });
      }),
    );
  });

  it('answers a replayed message 1 with another session, whose keys the attacker cannot compute [R4.1]', () => {
    const message1 = honest();
    const [once, again] = [answer(message1), answer(message1)];
    expect(again.session.incomingKey).not.toEqual(once.session.incomingKey);
    expect(decodeMessage2(again.message2).subarray(0, 32)).not.toEqual(decodeMessage2(once.message2).subarray(0, 32));
  });

  it('copies the key id, so that the buffer of message 1 may be reused', () => {
    const message1 = honest();
    const { session } = answer(message1);
    message1.fill(0);
    expect(session.keyId).toEqual(KEY.keyId);
  });

  it('yields no session for a message 1 with any single bit flipped', () => {
    const message1 = honest();
    for (let bit = 0; bit < message1.length * 8; bit++) {
      const flipped = Buffer.from(message1);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const name = `bit ${bit & 7} of byte ${bit >> 3}`;
      const expected = bit < 64 ? malformed : bit < 128 ? unknownKey : badMac;
      expect(() => answer(flipped), name).toThrow(expected);
    }
  });

  it('binds message 1 to its key id: with another id it does not open under the same psk', () => {
    for (let at = 8; at < 16; at++) {
      const message1 = honest();
      message1.writeUInt8(message1.readUInt8(at) ^ 1, at);
      expect(() => respond(() => KEY.psk, OPTIONS, message1), `byte ${at}`).toThrow(badMac);
    }
  });

  it('yields no session for a message 1 that is truncated or has extra bytes', () => {
    const longer = Buffer.concat([honest(), Buffer.alloc(64)]);
    for (let bytes = 0; bytes <= longer.length; bytes++) {
      if (bytes === 80) continue;
      expect(() => answer(longer.subarray(0, bytes)), `${bytes} bytes`).toThrow(malformed);
    }
  });

  it('yields no session for random bytes after a valid header', () => {
    const exchanges = fc.uint8Array({ minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(exchanges, (exchange) => {
        const message1 = encodeMessage1(encodeHeader(KEY.keyId), Buffer.from(exchange));
        expect(() => answer(message1)).toThrow(badMac);
      }),
    );
  });
});

describe('the responder, with a stranger,', () => {
  it('refuses an unknown key id [R4.8]', () => {
    const stranger = { ...KEY, keyId: Buffer.alloc(8, 1) };
    expect(() => answer(honest(stranger))).toThrow(unknownKey);
  });

  it('refuses a known key id with another psk', () => {
    expect(() => answer(honest({ ...KEY, psk: Buffer.alloc(32, 1) }))).toThrow(badMac);
  });

  it.each(['', 'order', 'orderss', 'Orders', 'default'])('refuses the service name %j [R4.6]', (service) => {
    expect(() => answer(honest(KEY, service))).toThrow(badMac);
  });

  it('looks up the psk by the 8 bytes of the key id that were sent', () => {
    const asked: string[] = [];
    respond((keyId) => (asked.push(keyId.toString('hex')), KEY.psk), OPTIONS, honest());
    expect(asked).toEqual(['0b56bfc1696f34ec']);
  });

  it('looks up no psk before the form of message 1 is valid', () => {
    expect(() => respond(neverAsked, OPTIONS, honest().subarray(1))).toThrow(malformed);
    expect(() => respond(neverAsked, OPTIONS, honest().fill(0, 0, 1))).toThrow(malformed);
  });
});

describe('the responder, with a client that holds the key and breaks the protocol,', () => {
  it.each([16, 31, 46, 100])('refuses a payload that is sealed to another size (%i bytes)', (bytes) => {
    expect(() => answer(rogueMessage1(Buffer.alloc(bytes)))).toThrow(malformed);
  });

  it.each([0, 1, 8, 14])('refuses a payload of %i bytes, which is sealed to the same size [R4.21]', (bytes) => {
    const message1 = rogueMessage1(Buffer.alloc(bytes, 0xff));
    expect(message1).toHaveLength(80);
    expect(() => answer(message1)).toThrow(malformed);
  });

  it('ignores the reserved bytes [R4.4]', () => {
    expect(answer(rogueMessage1(Buffer.alloc(15, 0xff))).session.keyId).toEqual(KEY.keyId);
  });

  it.each([
    ['0', '00'.repeat(32)],
    ['1', `01${'00'.repeat(31)}`],
    ['of order 8', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
    ['of order 8, the other', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'],
    ['p - 1', `ec${'ff'.repeat(30)}7f`],
    ['p', `ed${'ff'.repeat(30)}7f`],
    ['p + 1', `ee${'ff'.repeat(30)}7f`],
  ])('refuses the low-order point %s [R4.7]', (_, point) => {
    const message1 = rogueMessage1(encodePayload1(), Buffer.from(point, 'hex'));
    expect(() => answer(message1)).toThrow(malformed);
  });
});
