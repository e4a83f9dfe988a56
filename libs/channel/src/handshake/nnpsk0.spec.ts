import { KeyPair } from '@sealwire/crypto/internal';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { keyPairOf } from '../../../../test/support/key-pair.js';
import { SUITE } from '../record/record.js';
import { beginNnpsk0, readFirst, readSecond, writeFirst, writeSecond } from './nnpsk0.js';
import type { FirstExchange } from './nnpsk0.js';
import type { SymmetricState } from './symmetric-state.js';

const PSK = Buffer.alloc(32, 7);
const PROLOGUE = Buffer.from('prologue');
const PAYLOAD = Buffer.from('payload');
const LOW_ORDER = Buffer.alloc(32);
const INITIATOR = keyPairOf(Buffer.alloc(32, 1));
const RESPONDER = keyPairOf(Buffer.alloc(32, 2));

const badMac = expect.objectContaining({ code: 'ERR_BAD_MAC', fault: 'peer' });
const malformed = expect.objectContaining({ code: 'ERR_HANDSHAKE_MALFORMED', fault: 'peer' });
const byTransport = expect.objectContaining({ name: 'TransportError', fault: 'peer' });

const begin = (psk = PSK, prologue = PROLOGUE): SymmetricState => beginNnpsk0({ suite: SUITE, prologue, psk });

function first(payload = PAYLOAD): { symmetric: SymmetricState; message: Buffer } {
  const symmetric = begin();
  return { symmetric, message: writeFirst(symmetric, INITIATOR, payload) };
}

function second(
  message: Buffer,
  payload = PAYLOAD,
): { symmetric: SymmetricState; read: FirstExchange; answer: Buffer } {
  const symmetric = begin();
  const read = readFirst(symmetric, message);
  return { symmetric, read, answer: writeSecond(symmetric, RESPONDER, read.peerPublicKey, payload) };
}

function* flips(message: Buffer): Generator<[string, Buffer]> {
  for (let bit = 0; bit < message.length * 8; bit++) {
    const flipped = Buffer.from(message);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    yield [`bit ${bit & 7} of byte ${bit >> 3}`, flipped];
  }
}

describe('NNpsk0', () => {
  it('carries any two payloads and leaves both sides with the same hash and keys', () => {
    const payloads = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(payloads, payloads, (there, back) => {
        const initiator = first(there);
        const responder = second(initiator.message, back);
        expect(responder.read.payload).toEqual(there);
        expect(readSecond(initiator.symmetric, INITIATOR, responder.answer)).toEqual(back);
        expect(initiator.symmetric.handshakeHash).toEqual(responder.symmetric.handshakeHash);
        expect(initiator.symmetric.split()).toEqual(responder.symmetric.split());
      }),
    );
  });

  it.each([
    ['psk', begin(Buffer.alloc(32, 8))],
    ['prologue', begin(PSK, Buffer.from('other'))],
  ])('opens no first message of another %s', (_, symmetric) => {
    expect(() => readFirst(symmetric, first().message)).toThrow(badMac);
  });

  it('opens neither message with any one bit flipped', () => {
    const { message } = first();
    for (const [name, flipped] of flips(message)) {
      expect(() => readFirst(begin(), flipped), name).toThrow(badMac);
    }
    const { answer } = second(message);
    for (const [name, flipped] of flips(answer)) {
      expect(() => readSecond(first().symmetric, INITIATOR, flipped), name).toThrow(byTransport);
    }
  });

  it('opens neither message when truncated or extended by a byte', () => {
    const { message } = first();
    const { answer } = second(message);
    for (let bytes = 0; bytes <= message.length + 1; bytes++) {
      if (bytes === message.length) continue;
      const cut = (whole: Buffer): Buffer => Buffer.concat([whole, Buffer.alloc(1)]).subarray(0, bytes);
      expect(() => readFirst(begin(), cut(message)), `${bytes} bytes`).toThrow(byTransport);
      expect(() => readSecond(first().symmetric, INITIATOR, cut(answer)), `${bytes} bytes`).toThrow(byTransport);
    }
  });

  it('opens no second message that answers another first one', () => {
    const { answer } = second(first(Buffer.from('another')).message);
    expect(() => readSecond(first().symmetric, INITIATOR, answer)).toThrow(badMac);
  });

  it('derives another session whenever one of the two ephemeral keys is new', () => {
    const hashes = [RESPONDER, KeyPair.generate(), KeyPair.generate()].map((ephemeral) => {
      const symmetric = begin();
      const { peerPublicKey } = readFirst(symmetric, first().message);
      writeSecond(symmetric, ephemeral, peerPublicKey, PAYLOAD);
      return symmetric.split().initiatorKey.toString('hex');
    });
    expect(new Set(hashes).size).toBe(3);
  });

  it('does no Diffie-Hellman on a first message, so that a point of low order fails only when it is answered', () => {
    const rogue = { publicKey: LOW_ORDER } as KeyPair;
    const symmetric = begin();
    const read = readFirst(symmetric, writeFirst(begin(), rogue, PAYLOAD));
    expect(read).toEqual({ peerPublicKey: LOW_ORDER, payload: PAYLOAD });
    expect(() => writeSecond(symmetric, RESPONDER, read.peerPublicKey, PAYLOAD)).toThrow(malformed);
  });

  it('refuses an answer with a point of low order', () => {
    const { symmetric, message } = first();
    const answer = Buffer.concat([LOW_ORDER, second(message).answer.subarray(32)]);
    expect(() => readSecond(symmetric, INITIATOR, answer)).toThrow(malformed);
  });
});
