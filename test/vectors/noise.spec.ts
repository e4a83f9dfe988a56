// The public vectors of Noise_NNpsk0_25519 with the ciphers of Noise: our handshake is theirs, but for the cipher.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyPair } from '@sealwire/crypto/internal';
import type { CipherSuite } from '@sealwire/crypto/internal';
import { describe, expect, it } from 'vitest';

import {
  beginNnpsk0,
  readFirst,
  readSecond,
  writeFirst,
  writeSecond,
} from '../../libs/channel/src/handshake/nnpsk0.js';
import { CipherState } from '../../libs/channel/src/handshake/symmetric-state.js';
import type { SymmetricState } from '../../libs/channel/src/handshake/symmetric-state.js';
import { AES_GCM, CHACHA_POLY } from '../support/noise-ciphers.js';
import { keyPairOf } from '../support/key-pair.js';

interface Message {
  readonly payload: Buffer;
  readonly ciphertext: Buffer;
}

interface Vector {
  readonly name: string;
  readonly initiator: { readonly symmetric: SymmetricState; readonly ephemeral: KeyPair };
  readonly responder: { readonly symmetric: SymmetricState; readonly ephemeral: KeyPair };
  readonly handshakeHash: Buffer;
  readonly messages: readonly Message[];
}

interface VectorFile {
  readonly vectors: readonly {
    readonly protocol_name: string;
    readonly init_prologue: string;
    readonly init_psks: readonly string[];
    readonly init_ephemeral: string;
    readonly resp_prologue: string;
    readonly resp_psks: readonly string[];
    readonly resp_ephemeral: string;
    readonly handshake_hash: string;
    readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
  }[];
}

const PATH = join(import.meta.dirname, '../../../shared/vectors/noise/nnpsk0.json');
const CIPHERS = [AES_GCM, CHACHA_POLY];
const NOTHING = Buffer.alloc(0);

const hex = (text = ''): Buffer => Buffer.from(text, 'hex');

function loadVector(suite: CipherSuite): Vector {
  const { vectors } = JSON.parse(readFileSync(PATH, 'utf8')) as VectorFile;
  const name = `Noise_NNpsk0_25519_${suite.name}_SHA256`;
  const vector = vectors.find(({ protocol_name }) => protocol_name === name);
  if (vector === undefined) throw new Error(`No vector of ${name}`);
  const begin = (prologue: string, psks: readonly string[]): SymmetricState =>
    beginNnpsk0({ suite, prologue: hex(prologue), psk: hex(psks[0]) });
  return {
    name,
    initiator: {
      symmetric: begin(vector.init_prologue, vector.init_psks),
      ephemeral: keyPairOf(hex(vector.init_ephemeral)),
    },
    responder: {
      symmetric: begin(vector.resp_prologue, vector.resp_psks),
      ephemeral: keyPairOf(hex(vector.resp_ephemeral)),
    },
    handshakeHash: hex(vector.handshake_hash),
    messages: vector.messages.map(({ payload, ciphertext }) => ({
      payload: hex(payload),
      ciphertext: hex(ciphertext),
    })),
  };
}

describe.each(CIPHERS)('Noise NNpsk0 with $name', (suite) => {
  it.skipIf(!existsSync(PATH))('matches the public vectors, transport messages included', () => {
    const { initiator, responder, handshakeHash, messages } = loadVector(suite);
    const [first, second, ...transport] = messages;
    if (first === undefined || second === undefined) throw new Error('A vector without a handshake');

    expect(writeFirst(initiator.symmetric, initiator.ephemeral, first.payload)).toEqual(first.ciphertext);
    const { peerPublicKey, payload } = readFirst(responder.symmetric, first.ciphertext);
    expect(payload).toEqual(first.payload);

    const answer = writeSecond(responder.symmetric, responder.ephemeral, peerPublicKey, second.payload);
    expect(answer).toEqual(second.ciphertext);
    expect(readSecond(initiator.symmetric, initiator.ephemeral, second.ciphertext)).toEqual(second.payload);

    expect(initiator.symmetric.handshakeHash).toEqual(handshakeHash);
    expect(responder.symmetric.handshakeHash).toEqual(handshakeHash);
    expect(initiator.symmetric.split()).toEqual(responder.symmetric.split());

    expect(transport).toHaveLength(4);
    checkTransport(suite, initiator.symmetric, transport);
  });
});

// The sides take turns, the initiator first.
function checkTransport(suite: CipherSuite, symmetric: SymmetricState, messages: readonly Message[]): void {
  const { initiatorKey, responderKey } = symmetric.split();
  const directions = [initiatorKey, responderKey].map((key) => ({
    sender: new CipherState(suite, key),
    receiver: new CipherState(suite, key),
  }));
  for (const [index, { payload, ciphertext }] of messages.entries()) {
    const direction = directions[index % 2];
    expect(direction?.sender.seal(NOTHING, payload)).toEqual(ciphertext);
    expect(direction?.receiver.open(NOTHING, ciphertext)).toEqual(payload);
  }
}
