// The handshake of docs/protocol.md §2 to §4, byte for byte, in both roles.
import { deriveKeySchedule } from '@sealwire/crypto';
import { describe, expect, it } from 'vitest';

import { Ephemeral, receiveMessage2, respond, startInitiator } from '../../libs/transport/src/handshake/index.js';
import type { HandshakeOptions, PskOfKey, Session } from '../../libs/transport/src/handshake/index.js';
import { encodeHeader, encodePrologue } from '../../libs/transport/src/handshake/messages.js';
import { decodeAnnouncement, encodeAnnouncement } from '../../libs/transport/src/handshake/payload.js';
import { A128CBC_HS256, rekey } from '../../libs/transport/src/record/cipher-function.js';
import vectors from './channel-v1.json' with { type: 'json' };

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

const payload1 = hex(vectors.payload1);
const payload2 = hex(vectors.payload2);
const message1 = hex(vectors.message1);
const message2 = hex(vectors.message2);

function keyOfVectors(): PskOfKey {
  const { psk, keyId } = deriveKeySchedule(hex(vectors.keyFile));
  return { psk: Buffer.from(psk), keyId: Buffer.from(keyId) };
}

const initiatorOptions: HandshakeOptions = {
  service: vectors.service,
  announcement: decodeAnnouncement(payload1, 'client'),
  ephemeral: Ephemeral.fromPrivateBytes(hex(vectors.initiatorEphemeralPrivate)),
};
const responderOptions: HandshakeOptions = {
  service: vectors.service,
  announcement: decodeAnnouncement(payload2, 'server'),
  ephemeral: Ephemeral.fromPrivateBytes(hex(vectors.responderEphemeralPrivate)),
};

const initiate = (): ReturnType<typeof startInitiator> => startInitiator(keyOfVectors(), initiatorOptions);
const answer = (): ReturnType<typeof respond> => respond(() => keyOfVectors().psk, responderOptions, message1);

function expectSession(session: Session, outgoingKey: string, incomingKey: string): void {
  expect(session.handshakeHash).toEqual(hex(vectors.handshakeHash));
  expect(session.keyId).toEqual(hex(vectors.keyId));
  expect(session.outgoingKey).toEqual(hex(outgoingKey));
  expect(session.incomingKey).toEqual(hex(incomingKey));
}

describe('the handshake of channel-v1.json', () => {
  it('is made with the psk and the key id of its key file', () => {
    expect(keyOfVectors()).toEqual({ psk: hex(vectors.psk), keyId: hex(vectors.keyId) });
  });

  it('has the protocol name and the prologue of version 1', () => {
    expect(`Noise_NNpsk0_25519_${A128CBC_HS256.name}_SHA256`).toBe(vectors.handshakeName);
    expect(encodePrologue(encodeHeader(hex(vectors.keyId)), vectors.service)).toEqual(hex(vectors.prologue));
    expect(hex(vectors.prologue).toString('latin1')).toContain(vectors.channelLabel);
  });

  it('says the same in its payloads', () => {
    expect(initiatorOptions.announcement).toEqual({
      instanceId: Buffer.alloc(16, 0xaa),
      unixMs: 1_700_000_000_000,
      maxMessageBytes: 8 * 1024 * 1024,
      maxInFlight: 0,
      maxIncompleteBytes: 64 * 1024 * 1024,
    });
    expect(encodeAnnouncement(initiatorOptions.announcement)).toEqual(payload1);
    expect(encodeAnnouncement(responderOptions.announcement)).toEqual(payload2);
  });

  it('is the same as initiator', () => {
    const { state, message1: sent } = initiate();
    expect(sent).toEqual(message1);
    const session = receiveMessage2(state, message2);
    expectSession(session, vectors.keyClientToServer, vectors.keyServerToClient);
    expect(encodeAnnouncement(session.peer)).toEqual(payload2);
  });

  it('is the same as responder', () => {
    const { message2: sent, session } = answer();
    expect(sent).toEqual(message2);
    expectSession(session, vectors.keyServerToClient, vectors.keyClientToServer);
    expect(encodeAnnouncement(session.peer)).toEqual(payload1);
  });

  it('ends in a traffic key that a key update turns into the next one', () => {
    expect(rekey(answer().session.incomingKey)).toEqual(hex(vectors.keyClientToServerRekeyed));
  });
});
