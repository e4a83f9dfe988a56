// The records of docs/protocol.md §5 and §6, byte for byte, in both roles.
import { createHash } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { OpeningHalf, SealingHalf } from '../../libs/channel/src/record/half-connection.js';
import type { KeyLimits } from '../../libs/channel/src/record/traffic-key.js';
import { DIRECTIONS, innersOf, recordVectors } from './channel-v1-inners.js';
import type { Direction } from './channel-v1-inners.js';
import vectors from './channel-v1.json' with { type: 'json' };
import { sealRecord } from '../support/seal-record.js';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const LIMITS: KeyLimits = {
  softBytes: 2 ** 30,
  hardBytes: 2 ** 32,
  softRecords: 2 ** 20,
  hardRecords: 2 ** 22,
  softAgeMs: 1e6,
  hardAgeMs: 2e6,
};
const KEYS = { clientToServer: hex(vectors.keyClientToServer), serverToClient: hex(vectors.keyServerToClient) };
const CONFIRM = hex(vectors.clientToServer[0]?.inner ?? '').subarray(1);
/** Of a record whose bits are all flipped, one after the other. */
const MOST_BYTES = 256;
const badMac = expect.objectContaining({ code: 'ERR_BAD_MAC' });
const isKeyUpdate = (inner: Buffer): boolean => inner[0] === 2;

/** All records of a direction, sealed by us. */
function sealAll(direction: Direction): readonly Buffer[] {
  const half = new SealingHalf(KEYS[direction], LIMITS, 0);
  return innersOf(direction, CONFIRM).map((inner) => {
    const record = sealRecord(half, inner);
    if (isKeyUpdate(inner)) half.updateKey(0);
    return record;
  });
}

/** A half that has opened the first `count` records of a direction. */
function openedUpTo(count: number, direction: Direction): OpeningHalf {
  const half = new OpeningHalf(KEYS[direction], LIMITS, 0);
  for (const record of sealAll(direction).slice(0, count)) {
    if (isKeyUpdate(half.open(record.subarray(2), 0))) half.updateKey(0);
  }
  return half;
}

describe.each(DIRECTIONS)('the records of channel-v1.json, %s,', (direction) => {
  it('equal the output of our encoders byte for byte', () => {
    const inners = innersOf(direction, CONFIRM);
    expect(inners).toHaveLength(recordVectors[direction].length);
    for (const { n, says, inner, innerSha256 } of recordVectors[direction]) {
      const written = inners[n] ?? Buffer.alloc(0);
      if (inner === undefined) expect(sha256(written), says).toBe(innerSha256);
      else expect(written.toString('hex'), says).toBe(inner);
    }
  });

  it('are sealed byte for byte, across the KEY_UPDATE', () => {
    const sealed = sealAll(direction);
    for (const { n, says, record, recordSha256 } of recordVectors[direction]) {
      const made = sealed[n] ?? Buffer.alloc(0);
      if (record === undefined) expect(sha256(made), says).toBe(recordSha256);
      else expect(made.toString('hex'), says).toBe(record);
    }
  });

  it('are opened byte for byte, across the KEY_UPDATE', () => {
    const half = new OpeningHalf(KEYS[direction], LIMITS, 0);
    const sealed = sealAll(direction);
    for (const { n, says, inner, innerSha256, record } of recordVectors[direction]) {
      const opened = half.open((record === undefined ? sealed[n] : hex(record))?.subarray(2) ?? Buffer.alloc(0), 0);
      if (inner === undefined) expect(sha256(opened), says).toBe(innerSha256);
      else expect(opened.toString('hex'), says).toBe(inner);
      if (isKeyUpdate(opened)) half.updateKey(0);
    }
  });

  it('do not open with any single bit flipped, and the genuine one still opens afterwards', () => {
    for (const { n, says, record, inner } of recordVectors[direction]) {
      if (record === undefined || record.length > 2 * MOST_BYTES) continue;
      const half = openedUpTo(n, direction);
      const body = hex(record).subarray(2);
      for (let bit = 0; bit < body.length * 8; bit++) {
        const altered = Buffer.from(body);
        altered[bit >> 3] = altered.readUInt8(bit >> 3) ^ (1 << (bit & 7));
        expect(() => half.open(altered, 0), `${says}, bit ${bit}`).toThrow(badMac);
      }
      expect(half.open(body, 0).toString('hex')).toBe(inner);
    }
  });

  it('do not open when truncated, replayed, swapped or left out', () => {
    const [first, second] = sealAll(direction).map((record) => record.subarray(2));
    if (first === undefined || second === undefined) throw new TypeError('two records are needed');
    expect(() => openedUpTo(0, direction).open(first.subarray(0, first.length - 16), 0)).toThrow(badMac);
    expect(() => openedUpTo(1, direction).open(first, 0)).toThrow(badMac);
    expect(() => openedUpTo(0, direction).open(second, 0)).toThrow(badMac);
  });
});
