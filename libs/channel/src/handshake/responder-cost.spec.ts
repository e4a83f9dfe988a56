import { diffieHellman, generateKeyPairSync, hash, randomBytes } from 'node:crypto';

import { KeyPair } from '@sealwire/crypto/internal';
import { describe, expect, it, vi } from 'vitest';

import { receiveMessage2, startInitiator } from './initiator.js';
import { beginNnpsk0 } from './nnpsk0.js';
import { respond } from './responder.js';
import type { ResponderOptions, Response } from './responder.js';

vi.mock('node:crypto', { spy: true });
vi.mock('./nnpsk0.js', { spy: true });
const drawnAtStart = vi.mocked(randomBytes).mock.results.map(({ value }) => Buffer.from(value));

const KEY = { keyId: Buffer.alloc(8, 1), psk: Buffer.alloc(32, 0x6b) };
const OTHER_PSK = { ...KEY, psk: Buffer.alloc(32, 1) };
const OPTIONS: ResponderOptions = {
  service: 'orders',
  instanceId: Buffer.alloc(16, 0xbb),
  announcement: { unixMs: 0, maxMessageBytes: 65_536, maxInFlight: 1, maxIncompleteBytes: 0 },
};
const INITIATOR = { ...OPTIONS, instance: KeyPair.generate() };
const NOTHING = { keyPairs: 0, multiplications: 0 };

const honest = (key = KEY): Buffer => startInitiator(key, INITIATOR).message1;
const accept = (message1: Buffer): Response => respond(() => KEY.psk, OPTIONS, message1);
const acceptNoKey = (message1: Buffer): unknown => respond(() => undefined, OPTIONS, message1);

/** Runs `work`, whose outcome is the subject of responder.spec.ts, and counts. */
function costOf(work: () => unknown): { keyPairs: number; multiplications: number; hashes: number } {
  vi.clearAllMocks();
  try {
    work();
  } catch {
    // Refused, as most are here.
  }
  return {
    keyPairs: vi.mocked(generateKeyPairSync).mock.calls.length,
    multiplications: vi.mocked(diffieHellman).mock.calls.length,
    hashes: vi.mocked(hash).mock.calls.length,
  };
}

describe('the cost of message 1 for the responder', () => {
  it('is one key pair and one Diffie-Hellman for a client that holds the key', () => {
    const message1 = honest();
    expect(costOf(() => accept(message1))).toMatchObject({ keyPairs: 1, multiplications: 1 });
  });

  it.each([
    ['a forged tag', () => honest().fill(0, 64)],
    ['a forged public key', () => honest().fill(9, 16, 48)],
    ['another psk', () => honest(OTHER_PSK)],
    ['another service', () => startInitiator(KEY, { ...INITIATOR, service: 'others' }).message1],
    ['too few bytes', () => honest().subarray(0, 79)],
  ])('includes neither a key pair nor a Diffie-Hellman for %s [R4.9]', (_, forge) => {
    const message1 = forge();
    expect(costOf(() => accept(message1))).toMatchObject(NOTHING);
  });

  it('is the same for an unknown key id as for another psk [R4.8]', () => {
    const unknown = honest();
    const other = honest(OTHER_PSK);
    const cost = costOf(() => acceptNoKey(unknown));
    expect(cost).toMatchObject(NOTHING);
    expect(cost.hashes).toBeGreaterThan(0);
    expect(cost).toEqual(costOf(() => accept(other)));
  });
});

describe('the cost of CONFIRM for the responder', () => {
  it('is one more Diffie-Hellman', () => {
    const { state, message1 } = startInitiator(KEY, INITIATOR);
    const { message2, verifier } = accept(message1);
    const { confirm } = receiveMessage2(state, message2);
    expect(costOf(() => verifier.verify(confirm))).toMatchObject({ keyPairs: 0, multiplications: 1 });
    expect(costOf(() => verifier.verify(confirm))).toMatchObject(NOTHING);
  });
});

describe('the psk that an unknown key id is checked against', () => {
  it('is 32 random bytes, generated once [R4.8]', () => {
    expect(drawnAtStart.map((bytes) => bytes.length)).toEqual([32]);
    costOf(() => acceptNoKey(honest()));
    expect(vi.mocked(randomBytes)).not.toHaveBeenCalled();
  });

  it('is used as it was generated, and cannot be guessed [R4.8]', () => {
    const message1 = honest();
    costOf(() => acceptNoKey(message1));
    const [options] = vi.mocked(beginNnpsk0).mock.lastCall ?? [];
    expect(Buffer.from(options?.psk ?? [])).toEqual(drawnAtStart[0]);
    expect(new Set(options?.psk).size).toBeGreaterThan(8);
  });

  it('admits no client, not even one that has this psk', () => {
    const [decoy = Buffer.alloc(0)] = drawnAtStart;
    const message1 = honest({ ...KEY, psk: decoy });
    expect(() => acceptNoKey(message1)).toThrow(expect.objectContaining({ code: 'ERR_UNKNOWN_KEY' }));
    expect(() => respond(() => decoy, OPTIONS, message1)).not.toThrow();
  });
});
