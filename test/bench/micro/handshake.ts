import { diffieHellman, generateKeyPairSync, randomBytes } from 'node:crypto';
import { receiveMessage2, respond, startInitiator, type HandshakeOptions } from '#transport/handshake/index.js';
import type { MicroCase } from './case.js';

const KEY = { keyId: randomBytes(8), psk: randomBytes(32) };
const OPTIONS: HandshakeOptions = {
  service: 'default',
  announcement: {
    instanceId: randomBytes(16),
    unixMs: 0,
    maxMessageBytes: 1024 * 1024,
    maxInFlight: 0,
    maxIncompleteBytes: 1024 * 1024,
  },
};
/** A server announces how much it takes at once, a client that it takes no calls. */
const SERVER_OPTIONS = { ...OPTIONS, announcement: { ...OPTIONS.announcement, maxInFlight: 1024 } };

/** Both sides of a handshake, against the least that two fresh X25519 exchanges cost. */
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
  const { state, message1 } = startInitiator(KEY, OPTIONS);
  const { message2 } = respond(() => KEY.psk, SERVER_OPTIONS, message1);
  return receiveMessage2(state, message2);
}

function exchangeKeys(): unknown {
  const [one, other] = [generateKeyPairSync('x25519'), generateKeyPairSync('x25519')];
  return [
    diffieHellman({ privateKey: one.privateKey, publicKey: other.publicKey }),
    diffieHellman({ privateKey: other.privateKey, publicKey: one.publicKey }),
  ];
}
