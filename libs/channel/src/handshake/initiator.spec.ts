import { inspect } from 'node:util';

import { KeyPair } from '@sealwire/crypto/internal';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { keyPairOf } from '../../../../test/support/key-pair.js';
import { SUITE } from '../record/record.js';
import { encodeAnnouncement } from './announcement.js';
import type { Announcement } from './announcement.js';
import { receiveMessage2, startInitiator } from './initiator.js';
import type { InitiatorOptions, InitiatorState } from './initiator.js';
import { decodeMessage1, encodeMessage2, encodePrologue } from './messages.js';
import { beginNnpsk0, readFirst, writeSecond } from './nnpsk0.js';
import { ALERT } from './preamble.js';
import { respond } from './responder.js';
import type { Response } from './responder.js';

const KEY = { keyId: Buffer.from('0b56bfc1696f34ec', 'hex'), psk: Buffer.alloc(32, 0x6b) };
const EPHEMERAL = keyPairOf(Buffer.alloc(32, 1));
const SERVICE = 'orders';
const SERVER_ID = Buffer.alloc(16, 0xbb);
const CLIENT: Announcement = {
  unixMs: 1_700_000_000_000,
  maxMessageBytes: 8 * 1024 * 1024,
  maxInFlight: 0,
  maxIncompleteBytes: 64 * 1024 * 1024,
};
const SERVER: Announcement = { ...CLIENT, maxInFlight: 1024 };
const OPTIONS: InitiatorOptions = { service: SERVICE, announcement: CLIENT, instance: KeyPair.generate() };

const failure = (code: string): unknown => expect.objectContaining({ code, fault: 'peer' });
const malformed = failure('ERR_HANDSHAKE_MALFORMED');
const badMac = failure('ERR_BAD_MAC');
const byTransport = expect.objectContaining({ name: 'TransportError', fault: 'peer' });

// The ephemeral is always the same one, so that one answer fits every state.
const start = (options: Partial<InitiatorOptions> = {}): { state: InitiatorState; message1: Buffer } =>
  startInitiator(KEY, { ...OPTIONS, ephemeral: EPHEMERAL, ...options });

const honest = (): Response =>
  respond(() => KEY.psk, { service: SERVICE, instanceId: SERVER_ID, announcement: SERVER }, start().message1);
const payload2 = (announcement: Buffer): Buffer => Buffer.concat([SERVER_ID, announcement]);

/** A server that holds the key and seals whatever it likes. */
function rogueAnswer(payload: Buffer): Buffer {
  const { header, exchange } = decodeMessage1(start().message1);
  const prologue = encodePrologue(header, SERVICE);
  const symmetric = beginNnpsk0({ suite: SUITE, prologue, psk: KEY.psk });
  const { peerPublicKey } = readFirst(symmetric, exchange);
  return Buffer.concat([
    encodeMessage2(Buffer.alloc(0)),
    writeSecond(symmetric, KeyPair.generate(), peerPublicKey, payload),
  ]);
}

describe('the initiator', () => {
  it('starts with a message 1 that names its key and nothing about the client [R4.21]', () => {
    const { header, keyId, exchange } = decodeMessage1(start().message1);
    expect(keyId).toEqual(KEY.keyId);
    const prologue = encodePrologue(header, SERVICE);
    const { payload } = readFirst(beginNnpsk0({ suite: SUITE, prologue, psk: KEY.psk }), exchange);
    expect(payload).toEqual(Buffer.alloc(15));
    expect(start().message1).toHaveLength(80);
  });

  it('generates a fresh ephemeral key for each handshake [R4.1]', () => {
    const sent = [1, 2, 3].map(() => startInitiator(KEY, OPTIONS).message1.subarray(16, 48).toString('hex'));
    expect(new Set(sent).size).toBe(3);
  });

  it('yields the session of the responder with the directions swapped', () => {
    const { message2, session } = honest();
    expect(receiveMessage2(start().state, message2)).toEqual({
      outgoingKey: session.incomingKey,
      incomingKey: session.outgoingKey,
      serverId: SERVER_ID,
      peer: SERVER,
      confirm: expect.any(Buffer),
      keyId: KEY.keyId,
    });
  });

  it('proves the same instance key on every connection, each time by another proof [R4.28]', () => {
    const proofs = [1, 2, 3].map(() => {
      const { message2, verifier } = honest();
      const { confirm } = receiveMessage2(start().state, message2);
      expect(verifier.verify(confirm)).toEqual({ instanceKey: OPTIONS.instance.publicKey, announcement: CLIENT });
      return confirm.toString('hex', 32, 48);
    });
    expect(new Set(proofs).size).toBe(3);
  });

  it('proves nothing before message 2 is verified [R4.29]', () => {
    const instance = KeyPair.generate();
    const agree = vi.spyOn(instance, 'sharedSecret');
    const { message2 } = honest();
    message2.writeUInt8(message2.readUInt8(103) ^ 1, 103);
    for (const wrong of [message2, ALERT, rogueAnswer(payload2(encodeAnnouncement({ ...SERVER, maxInFlight: 0 })))]) {
      expect(() => receiveMessage2(start({ instance }).state, wrong)).toThrow(byTransport);
    }
    expect(agree).not.toHaveBeenCalled();
    receiveMessage2(start({ instance }).state, honest().message2);
    expect(agree).toHaveBeenCalledOnce();
  });

  it('opens nothing from a server whose ephemeral key is not the one that sealed it', () => {
    const { message2 } = honest();
    const other = honest().message2;
    const spliced = Buffer.concat([message2.subarray(0, 40), other.subarray(40)]);
    expect(() => receiveMessage2(start().state, spliced)).toThrow(badMac);
  });

  it('opens nothing that answers another message 1', () => {
    const { state } = startInitiator(KEY, OPTIONS);
    expect(() => receiveMessage2(state, honest().message2)).toThrow(badMac);
  });

  it('yields no session for a message 2 with any single bit flipped', () => {
    const { message2 } = honest();
    for (let bit = 0; bit < message2.length * 8; bit++) {
      const flipped = Buffer.from(message2);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const expected = bit < 64 ? malformed : badMac;
      expect(() => receiveMessage2(start().state, flipped), `bit ${bit & 7} of byte ${bit >> 3}`).toThrow(expected);
    }
  });

  it('yields no session for a message 2 that is truncated or has extra bytes', () => {
    const longer = Buffer.concat([honest().message2, Buffer.alloc(64)]);
    for (let bytes = 0; bytes <= longer.length; bytes++) {
      if (bytes === 104) continue;
      const cut = longer.subarray(0, bytes);
      expect(() => receiveMessage2(start().state, cut), `${bytes} bytes`).toThrow(malformed);
    }
  });

  it('yields no session for random bytes after a valid preamble', () => {
    const exchanges = fc.uint8Array({ minLength: 96, maxLength: 96 });
    fc.assert(
      fc.property(exchanges, (exchange) => {
        const message2 = encodeMessage2(Buffer.from(exchange));
        expect(() => receiveMessage2(start().state, message2)).toThrow(byTransport);
      }),
    );
  });
});

describe('the initiator, with a server that holds the key and breaks the protocol,', () => {
  it.each([0, 15, 31, 32, 45, 47])('refuses a payload of %i bytes [R4.21]', (bytes) => {
    expect(() => receiveMessage2(start().state, rogueAnswer(Buffer.alloc(bytes)))).toThrow(malformed);
  });

  it.each([
    ['no request in flight', { ...SERVER, maxInFlight: 0 }],
    ['messages of less than 64 KiB', { ...SERVER, maxMessageBytes: 65_535 }],
    ['no message at all', { ...SERVER, maxMessageBytes: 0 }],
  ])('refuses an announcement of %s [R4.5]', (_, announcement) => {
    const answer = rogueAnswer(payload2(encodeAnnouncement(announcement)));
    expect(() => receiveMessage2(start().state, answer)).toThrow(failure('ERR_PEER_LIMITS'));
  });

  it('accepts the smallest limits that a server may announce, and unknown features [R4.4]', () => {
    const least = { ...SERVER, maxInFlight: 1, maxMessageBytes: 65_536, maxIncompleteBytes: 0 };
    const answer = rogueAnswer(payload2(encodeAnnouncement(least).fill(0xff, 20)));
    const { peer, confirm } = receiveMessage2(start().state, answer);
    expect(peer).toEqual(least);
    expect(confirm.readUInt32BE(48 + 20), 'the features that it chose').toBe(0);
  });

  it('refuses a public key of low order [R4.7]', () => {
    const answer = honest().message2.fill(0, 8, 40);
    expect(() => receiveMessage2(start().state, answer)).toThrow(malformed);
  });

  it('refuses a server of its own process that holds the key, if rejectSelf is on', () => {
    const asked: Buffer[] = [];
    const rejectSelf = (instanceId: Buffer): boolean => asked.push(Buffer.from(instanceId)) > 0;
    const forged = honest().message2.fill(0, 100);
    expect(() => receiveMessage2(start({ rejectSelf }).state, forged)).toThrow(badMac);
    expect(asked).toEqual([]);
    const { message2 } = honest();
    expect(() => receiveMessage2(start({ rejectSelf }).state, message2)).toThrow(failure('ERR_SELF_CONNECTION'));
    expect(asked).toEqual([SERVER_ID]);
    expect(receiveMessage2(start({ rejectSelf: () => false }).state, message2).peer).toEqual(SERVER);
  });

  it('refuses its own message 1, echoed', () => {
    const { state, message1 } = start();
    expect(() => receiveMessage2(state, message1)).toThrow(malformed);
    const relabelled = encodeMessage2(message1.subarray(16));
    expect(() => receiveMessage2(start().state, relabelled)).toThrow(malformed);
  });
});

describe('the initiator, after a refusal by the server,', () => {
  it('reports the usual reasons [R4.27]', () => {
    expect(() => receiveMessage2(start().state, ALERT)).toThrow(failure('ERR_ALERT'));
    expect(() => receiveMessage2(start().state, ALERT)).toThrow(
      /the key or the service name differs, the server is busy, or an attacker on the network/,
    );
  });

  it('recognizes only the exact alert', () => {
    const long = Buffer.alloc(104);
    ALERT.copy(long);
    for (const message of [long, ALERT.subarray(0, 7), Buffer.concat([ALERT, Buffer.alloc(1)])]) {
      expect(() => receiveMessage2(start().state, message)).toThrow(malformed);
    }
  });
});

describe('the state of an initiator', () => {
  it('accepts one message 2 and no other', () => {
    const { state } = start();
    const { message2 } = honest();
    receiveMessage2(state, message2);
    expect(() => receiveMessage2(state, message2)).toThrow(malformed);
    expect(() => receiveMessage2(state, ALERT)).toThrow(malformed);
  });

  it.each([
    ['an alert', ALERT],
    ['a forgery', encodeMessage2(Buffer.alloc(96, 9))],
    ['nonsense', Buffer.from('nonsense')],
  ])('is unusable after %s, even for the valid message 2', (_, wrong) => {
    const { state } = start();
    expect(() => receiveMessage2(state, wrong)).toThrow(byTransport);
    expect(() => receiveMessage2(state, honest().message2)).toThrow(malformed);
  });

  it('shows neither the psk nor the private key when it is printed', () => {
    const printed = inspect(start().state, { showHidden: true, depth: 9 });
    expect(printed).toContain('SENT');
    for (const secret of ['6b 6b 6b', '6b6b6b', '01 01 01 01', '01010101']) expect(printed).not.toContain(secret);
  });
});
