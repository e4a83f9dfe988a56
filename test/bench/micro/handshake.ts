import { diffieHellman, generateKeyPairSync, randomBytes } from 'node:crypto';
import { KeyPair, receiveMessage2, respond, startInitiator } from '#channel/handshake/index.js';
import type { MicroCase } from './case.js';

const KEY = { keyId: randomBytes(8), psk: randomBytes(32) };
const LIMITS = { unixMs: 0, maxMessageBytes: 1024 * 1024, maxIncompleteBytes: 1024 * 1024 };
/** A server announces how much it takes at a time, a client that it takes no calls. */
const CLIENT = { service: 'default', instance: KeyPair.generate(), announcement: { ...LIMITS, maxInFlight: 0 } };
const SERVER = { service: 'default', instanceId: randomBytes(16), announcement: { ...LIMITS, maxInFlight: 1024 } };

/** Both sides of a handshake with the instance proof, against the least that two fresh X25519 exchanges cost. */
export function handshakeCases(): readonly MicroCase[] {
  return [
    {
      name: 'handshake',
      callsPerSample: 1,
      ways: [
        { name: 'both-sides', run: shakeHands },
        { name: 'x25519', run: exchangeKeys },
      ],
    },
  ];
}

function shakeHands(): unknown {
  const { state, message1 } = startInitiator(KEY, CLIENT);
  const { message2, verifier } = respond(() => KEY.psk, SERVER, message1);
  return verifier.verify(receiveMessage2(state, message2).confirm);
}

function exchangeKeys(): unknown {
  const [one, other] = [generateKeyPairSync('x25519'), generateKeyPairSync('x25519')];
  return [
    diffieHellman({ privateKey: one.privateKey, publicKey: other.publicKey }),
    diffieHellman({ privateKey: other.privateKey, publicKey: one.publicKey }),
  ];
}
