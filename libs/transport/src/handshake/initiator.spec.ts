import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { A128CBC_HS256 } from '../record/cipher-function.js';
import { receiveMessage2, startInitiator } from './initiator.js';
import type { InitiatorState } from './initiator.js';
import { decodeMessage1, encodeMessage2, encodePrologue } from './messages.js';
import { beginNnpsk0, readFirst, writeSecond } from './nnpsk0.js';
import { decodeAnnouncement, encodeAnnouncement } from './payload.js';
import type { Announcement } from './payload.js';
import { ALERT } from './preamble.js';
import { respond } from './responder.js';
import type { Session } from './session.js';
import { Ephemeral } from './x25519.js';

const KEY = { keyId: Buffer.from('0b56bfc1696f34ec', 'hex'), psk: Buffer.alloc(32, 0x6b) };
const EPHEMERAL = Ephemeral.fromPrivateBytes(Buffer.alloc(32, 1));
const SERVICE = 'orders';
const CLIENT: Announcement = {
  instanceId: Buffer.alloc(16, 0xaa),
  unixMs: 1_700_000_000_000,
  maxMessageBytes: 8 * 1024 * 1024,
  maxInFlight: 0,
  maxIncompleteBytes: 64 * 1024 * 1024,
};
const SERVER: Announcement = { ...CLIENT, instanceId: Buffer.alloc(16, 0xbb), maxInFlight: 1024 };

const failure = (code: string): unknown => expect.objectContaining({ code, fault: 'peer' });
const malformed = failure('ERR_HANDSHAKE_MALFORMED');
const openFailed = failure('ERR_OPEN_FAILED');
const byTransport = expect.objectContaining({ name: 'TransportError', fault: 'peer' });

// The ephemeral is always the same one, so that one answer fits every state.
const start = (): { state: InitiatorState; message1: Buffer } =>
  startInitiator(KEY, { service: SERVICE, announcement: CLIENT, ephemeral: EPHEMERAL });

const honest = (): { message2: Buffer; session: Session } =>
  respond(() => KEY.psk, { service: SERVICE, announcement: SERVER }, start().message1);

/** A server that holds the key and seals whatever it likes. */
function rogueAnswer(payload: Buffer): Buffer {
  const { header, exchange } = decodeMessage1(start().message1);
  const prologue = encodePrologue(header, SERVICE);
  const symmetric = beginNnpsk0({ cipher: A128CBC_HS256, prologue, psk: KEY.psk });
  const { peerPublicKey } = readFirst(symmetric, exchange);
  return Buffer.concat([
    encodeMessage2(Buffer.alloc(0)),
    writeSecond(symmetric, Ephemeral.generate(), peerPublicKey, payload),
  ]);
}

describe('the initiator', () => {
  it('starts with a message 1 that names its key and seals what it announces', () => {
    const { header, keyId, exchange } = decodeMessage1(start().message1);
    expect(keyId).toEqual(KEY.keyId);
    const prologue = encodePrologue(header, SERVICE);
    const { payload } = readFirst(beginNnpsk0({ cipher: A128CBC_HS256, prologue, psk: KEY.psk }), exchange);
    expect(decodeAnnouncement(payload, 'client')).toEqual(CLIENT);
  });

  it('draws a fresh ephemeral key for each handshake [R4.1]', () => {
    const options = { service: SERVICE, announcement: CLIENT };
    const sent = [1, 2, 3].map(() => startInitiator(KEY, options).message1.subarray(16, 48).toString('hex'));
    expect(new Set(sent).size).toBe(3);
  });

  it('yields the session of the responder, seen from the other side', () => {
    const { message2, session } = honest();
    expect(receiveMessage2(start().state, message2)).toEqual({
      outgoingKey: session.incomingKey,
      incomingKey: session.outgoingKey,
      peer: SERVER,
      handshakeHash: session.handshakeHash,
      keyId: KEY.keyId,
    });
  });

  it('opens nothing of a server with another ephemeral than the one that sealed', () => {
    const { message2 } = honest();
    const other = honest().message2;
    const spliced = Buffer.concat([message2.subarray(0, 40), other.subarray(40)]);
    expect(() => receiveMessage2(start().state, spliced)).toThrow(openFailed);
  });

  it('opens nothing that answers another message 1', () => {
    const { state } = startInitiator(KEY, { service: SERVICE, announcement: CLIENT });
    expect(() => receiveMessage2(state, honest().message2)).toThrow(openFailed);
  });

  it('yields no session for a message 2 with any one bit flipped', () => {
    const { message2 } = honest();
    for (let bit = 0; bit < message2.length * 8; bit++) {
      const flipped = Buffer.from(message2);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const expected = bit < 64 ? malformed : openFailed;
      expect(() => receiveMessage2(start().state, flipped), `bit ${bit & 7} of byte ${bit >> 3}`).toThrow(expected);
    }
  });

  it('yields no session for a message 2 cut short or with bytes behind it', () => {
    const longer = Buffer.concat([honest().message2, Buffer.alloc(64)]);
    for (let bytes = 0; bytes <= longer.length; bytes++) {
      if (bytes === 104) continue;
      const cut = longer.subarray(0, bytes);
      expect(() => receiveMessage2(start().state, cut), `${bytes} bytes`).toThrow(malformed);
    }
  });

  it('yields no session for random bytes behind a right preamble', () => {
    const exchanges = fc.uint8Array({ minLength: 96, maxLength: 96 });
    fc.assert(
      fc.property(exchanges, (exchange) => {
        const message2 = encodeMessage2(Buffer.from(exchange));
        expect(() => receiveMessage2(start().state, message2)).toThrow(byTransport);
      }),
    );
  });
});

describe('the initiator, of a server that holds the key and breaks the protocol,', () => {
  it.each([0, 16, 31, 32, 46])('refuses a payload of %i bytes', (bytes) => {
    expect(() => receiveMessage2(start().state, rogueAnswer(Buffer.alloc(bytes)))).toThrow(malformed);
  });

  it.each([
    ['no request in flight', { ...SERVER, maxInFlight: 0 }],
    ['messages of less than 64 KiB', { ...SERVER, maxMessageBytes: 65_535 }],
    ['no message at all', { ...SERVER, maxMessageBytes: 0 }],
  ])('refuses one that takes %s [R4.5]', (_, announcement) => {
    const answer = rogueAnswer(encodeAnnouncement(announcement));
    expect(() => receiveMessage2(start().state, answer)).toThrow(failure('ERR_PEER_LIMITS'));
  });

  it('accepts the least a server may announce, and features it does not know [R4.4]', () => {
    const least = { ...SERVER, maxInFlight: 1, maxMessageBytes: 65_536, maxIncompleteBytes: 0 };
    const answer = rogueAnswer(encodeAnnouncement(least).fill(0xff, 36));
    expect(receiveMessage2(start().state, answer).peer).toEqual(least);
  });

  it('refuses a public key of low order [R4.7]', () => {
    const answer = honest().message2.fill(0, 8, 40);
    expect(() => receiveMessage2(start().state, answer)).toThrow(malformed);
  });

  it('refuses its own message 1, echoed', () => {
    const { state, message1 } = start();
    expect(() => receiveMessage2(state, message1)).toThrow(malformed);
    const relabelled = encodeMessage2(message1.subarray(16));
    expect(() => receiveMessage2(start().state, relabelled)).toThrow(openFailed);
  });
});

describe('the initiator, refused by the server,', () => {
  it('tells a person what is usually wrong', () => {
    expect(() => receiveMessage2(start().state, ALERT)).toThrow(failure('ERR_ALERT'));
    expect(() => receiveMessage2(start().state, ALERT)).toThrow(/refused.*wrong key, wrong service, or busy/);
  });

  it('takes nothing for an alert but the alert', () => {
    const long = Buffer.alloc(104);
    ALERT.copy(long);
    for (const message of [long, ALERT.subarray(0, 7), Buffer.concat([ALERT, Buffer.alloc(1)])]) {
      expect(() => receiveMessage2(start().state, message)).toThrow(malformed);
    }
  });
});

describe('the state of an initiator', () => {
  it('takes one message 2 and no other', () => {
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
  ])('is of no use after %s, even for the right message 2', (_, wrong) => {
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
