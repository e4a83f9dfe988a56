// The handshake of docs/protocol.md §2 to §4, byte for byte, in both roles.
import { deriveKeySchedule } from '@sealwire/crypto';
import { describe, expect, it } from 'vitest';

import { decodeAnnouncement, encodeAnnouncement } from '../../libs/channel/src/handshake/announcement.js';
import {
  instanceIdOf,
  KeyPair,
  receiveMessage2,
  respond,
  startInitiator,
} from '../../libs/channel/src/handshake/index.js';
import type { InitiatorOptions, PskOfKey, Session } from '../../libs/channel/src/handshake/index.js';
import { encodeHeader, encodePrologue } from '../../libs/channel/src/handshake/messages.js';
import { beginNnpsk0, readFirst, readSecond, writeFirst, writeSecond } from '../../libs/channel/src/handshake/nnpsk0.js';
import { encodePayload1, encodePayload2 } from '../../libs/channel/src/handshake/payload.js';
import type { ResponderOptions } from '../../libs/channel/src/handshake/responder.js';
import type { SymmetricState } from '../../libs/channel/src/handshake/symmetric-state.js';
import { SUITE } from '../../libs/channel/src/record/record.js';
import vectors from './channel-v1.json' with { type: 'json' };
import { keyPairOf } from '../support/key-pair.js';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

const message1 = hex(vectors.message1);
const message2 = hex(vectors.message2);
/** Without its type. */
const confirm = hex(vectors.clientToServer[0]?.inner ?? '').subarray(1);

function keyOfVectors(): PskOfKey {
  const { psk, keyId } = deriveKeySchedule(hex(vectors.keyFile));
  return { psk: Buffer.from(psk), keyId: Buffer.from(keyId) };
}

const fromClient: InitiatorOptions = {
  service: vectors.service,
  announcement: vectors.clientAnnouncement,
  instance: keyPairOf(hex(vectors.instancePrivate)),
  ephemeral: keyPairOf(hex(vectors.initiatorEphemeralPrivate)),
};
const fromServer: ResponderOptions = {
  service: vectors.service,
  announcement: vectors.serverAnnouncement,
  instanceId: hex(vectors.serverInstanceId),
  ephemeral: keyPairOf(hex(vectors.responderEphemeralPrivate)),
};

const initiate = (): ReturnType<typeof startInitiator> => startInitiator(keyOfVectors(), fromClient);
const answer = (): ReturnType<typeof respond> => respond(() => keyOfVectors().psk, fromServer, message1);

function begin(): SymmetricState {
  const prologue = hex(vectors.prologue);
  return beginNnpsk0({ suite: SUITE, prologue, psk: hex(vectors.psk) });
}

function expectSession(session: Session, outgoingKey: string, incomingKey: string): void {
  expect(session.keyId).toEqual(hex(vectors.keyId));
  expect(session.outgoingKey).toEqual(hex(outgoingKey));
  expect(session.incomingKey).toEqual(hex(incomingKey));
}

describe('the handshake of channel-v1.json', () => {
  it('uses the psk and the key id of its key file', () => {
    expect(keyOfVectors()).toEqual({ psk: hex(vectors.psk), keyId: hex(vectors.keyId) });
  });

  it('has the protocol name and the prologue of version 1', () => {
    expect(`Noise_NNpsk0_25519_${SUITE.name}_SHA256`).toBe(vectors.handshakeName);
    expect(encodePrologue(encodeHeader(hex(vectors.keyId)), vectors.service)).toEqual(hex(vectors.prologue));
    expect(hex(vectors.prologue).toString('latin1')).toContain(vectors.channelLabel);
  });

  it('is the same as initiator, including the proof of the instance', () => {
    const { state, message1: sent } = initiate();
    expect(sent).toEqual(message1);
    const session = receiveMessage2(state, message2);
    expectSession(session, vectors.keyClientToServer, vectors.keyServerToClient);
    expect(session.peer).toMatchObject({ maxMessageBytes: 4_194_304, maxInFlight: 1024, unixMs: 1_767_225_600_456 });
    expect(session.confirm).toEqual(confirm);
  });

  it('is the same as responder, which verifies the proof', () => {
    const { message2: sent, session, verifier } = answer();
    expect(sent).toEqual(message2);
    expectSession(session, vectors.keyServerToClient, vectors.keyClientToServer);
    const { features: _, ...announcement } = vectors.clientAnnouncement;
    expect(verifier.verify(confirm)).toEqual({ instanceKey: hex(vectors.instancePublic), announcement });
  });

  it('has the same handshake hash after message 2 on both sides', () => {
    const [client, server] = [begin(), begin()];
    const first = writeFirst(client, fromClient.ephemeral as KeyPair, encodePayload1());
    expect(first).toEqual(message1.subarray(16));
    const { peerPublicKey } = readFirst(server, first);
    const second = writeSecond(server, fromServer.ephemeral as KeyPair, peerPublicKey, encodePayload2(fromServer));
    expect(second).toEqual(message2.subarray(8));
    readSecond(client, fromClient.ephemeral as KeyPair, second);
    for (const { handshakeHash } of [client, server]) expect(handshakeHash).toEqual(hex(vectors.handshakeHash));
  });

  it('identifies the client object by its instance key', () => {
    expect(fromClient.instance.publicKey).toEqual(hex(vectors.instancePublic));
    expect(instanceIdOf(fromClient.instance.publicKey)).toEqual(hex(vectors.instanceId));
    expect(confirm.subarray(32, 48)).toEqual(hex(vectors.proof));
    expect(confirm.subarray(48)).toEqual(encodeAnnouncement(vectors.clientAnnouncement));
    expect(encodeAnnouncement(decodeAnnouncement(confirm.subarray(48), 'client'))).toEqual(confirm.subarray(48));
  });

  it('ends in a traffic key that a key update turns into the next one', () => {
    expect(SUITE.rekey(answer().session.incomingKey)).toEqual(hex(vectors.keyClientToServerRekeyed));
  });
});
