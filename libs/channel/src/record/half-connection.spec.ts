import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { sealPlainAt } from '../../../../test/support/plain-a128cbc-hs256.js';
import { sealRecord } from '../../../../test/support/seal-record.js';
import { OpeningHalf, SealingHalf } from './half-connection.js';
import type { KeyLimits } from './traffic-key.js';
import { KEY_UPDATE_BURST, KEY_UPDATE_SPACING_RECORDS, MAX_RECORDS } from './traffic-key.js';

const KEY = Buffer.alloc(32, 5);
const WIDE: KeyLimits = {
  softBytes: 2 ** 40,
  hardBytes: 2 ** 40,
  softRecords: 2 ** 40,
  hardRecords: 2 ** 40,
  softAgeMs: 2 ** 40,
  hardAgeMs: 2 ** 40,
};
const INNER = Buffer.from('hello');
const HALF_AN_HOUR_MS = 1_800_000;
const KEY_UPDATE_TYPE = 2;
const CLOSE_TYPE = 3;
const body = (record: Buffer): Buffer => record.subarray(2);
const code = (name: string): unknown => expect.objectContaining({ code: name });

function pair(limits: Partial<KeyLimits> = {}): [SealingHalf, OpeningHalf] {
  return [new SealingHalf(KEY, { ...WIDE, ...limits }, 0), new OpeningHalf(KEY, { ...WIDE, ...limits }, 0)];
}

describe('one direction of a connection', () => {
  it('never seals the same message to the same bytes twice', () => {
    const [sealing] = pair();
    const sealed = new Set(
      Array.from({ length: 1_000 }, () => sealRecord(sealing, INNER).toString('hex').slice(4, 36)),
    );
    expect(sealed.size).toBe(1_000);
  });

  it.each([0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 5, MAX_RECORDS - 1])(
    'seals record %d as the protocol defines it',
    (n) => {
      const record = sealRecord(new SealingHalf(KEY, WIDE, 0, n), INNER);
      const associatedData = Buffer.alloc(10);
      associatedData.writeBigUInt64BE(BigInt(n));
      associatedData.writeUInt16BE(record.length - 2, 8);
      expect(body(record)).toEqual(sealPlainAt(KEY, n, associatedData, INNER));
      expect(new OpeningHalf(KEY, WIDE, 0, n).open(body(record), 0)).toEqual(INNER);
    },
  );

  it('refuses a record that is replayed, early or late', () => {
    const [sealing, opening] = pair();
    const [first, second] = [sealRecord(sealing, INNER), sealRecord(sealing, INNER)];
    expect(() => opening.open(body(second), 0)).toThrow(code('ERR_BAD_MAC'));
    expect(opening.open(body(first), 0)).toEqual(INNER);
    expect(() => opening.open(body(first), 0)).toThrow(code('ERR_BAD_MAC'));
    const reflected = new OpeningHalf(Buffer.alloc(32, 6), WIDE, 0);
    expect(() => reflected.open(body(first), 0)).toThrow(code('ERR_BAD_MAC'));
  });

  it('does not advance its counter for a forged record', () => {
    const [sealing, opening] = pair();
    for (let i = 0; i < 5; i++) expect(() => opening.open(Buffer.alloc(48, i), 0)).toThrow(code('ERR_BAD_MAC'));
    expect(opening.open(body(sealRecord(sealing, INNER)), 0)).toEqual(INNER);
  });

  it('continues unchanged after either side released its ciphers', () => {
    const step = fc.constantFrom('record', 'sealing rests', 'opening rests', 'new key');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const [sealing, opening] = pair();
        const [neverRests] = pair();
        let updates = 0;
        for (const each of steps) {
          if (each === 'sealing rests') sealing.hibernate();
          if (each === 'opening rests') opening.hibernate();
          if (each === 'new key' && ++updates <= KEY_UPDATE_BURST)
            for (const half of [sealing, opening, neverRests]) half.updateKey(0);
          const record = sealRecord(sealing, INNER);
          expect(record).toEqual(sealRecord(neverRests, INNER));
          expect(opening.open(body(record), 0)).toEqual(INNER);
        }
      }),
    );
  });

  it('continues its count across a KEY_UPDATE, and the old key opens nothing more', () => {
    const [sealing, opening] = pair();
    opening.open(body(sealRecord(sealing, INNER)), 0);
    sealing.updateKey(0);
    const next = sealRecord(sealing, INNER);
    expect(() => opening.open(body(next), 0)).toThrow(code('ERR_BAD_MAC'));
    opening.updateKey(0);
    expect(opening.open(body(next), 0)).toEqual(INNER);
  });

  it.each<[string, Partial<KeyLimits>]>([
    ['bytes', { softBytes: 65 * 32 }],
    ['records', { softRecords: 65 }],
  ])('requests a key update at the soft limit of %s and not before', (_what, limits) => {
    const [sealing] = pair(limits);
    for (let i = 0; i < 64; i++) sealRecord(sealing, INNER);
    expect(sealing.isSpent(0)).toBe(false);
    sealRecord(sealing, INNER);
    expect([sealing.isSpent(0), sealing.isOld(0)]).toEqual([true, false]);
  });

  it('requests a key update at the soft age and not before', () => {
    const [sealing] = pair({ softAgeMs: 10 });
    expect(sealing.isOld(9)).toBe(false);
    expect([sealing.isOld(10), sealing.isSpent(10)]).toEqual([true, false]);
  });

  it.each<[string, Partial<KeyLimits>, number]>([
    ['bytes', { hardBytes: 2 * 32 }, 0],
    ['records', { hardRecords: 2 }, 0],
    ['age', { hardAgeMs: 10 }, 10],
  ])('fails at the hard limit of %s of a peer that updates no key', (_what, limits, nowMs) => {
    const [sealing, opening] = pair(limits);
    for (let i = 0; i < 2; i++) opening.open(body(sealRecord(sealing, INNER)), 0);
    expect(() => opening.open(body(sealRecord(sealing, INNER)), nowMs)).toThrow(code('ERR_KEY_EXHAUSTED'));
  });

  it('allows a burst of KEY_UPDATEs, then one for each spacing of records', () => {
    const [sealing, opening] = pair();
    for (let i = 0; i < KEY_UPDATE_BURST; i++) {
      opening.updateKey(0);
      sealing.updateKey(0);
    }
    expect(() => opening.updateKey(0)).toThrow(code('ERR_KEY_UPDATE_FLOOD'));
    for (let i = 0; i < KEY_UPDATE_SPACING_RECORDS; i++) opening.open(body(sealRecord(sealing, INNER)), 0);
    expect(() => opening.updateKey(0)).not.toThrow();
    expect(() => opening.updateKey(0)).toThrow(code('ERR_KEY_UPDATE_FLOOD'));
  });

  it('uses no allowance for an update that is read 30 minutes or more after the previous one [R5.9]', () => {
    const opening = pair()[1];
    for (let i = 1; i <= 24; i++) opening.updateKey(i * HALF_AN_HOUR_MS);
    for (let i = 0; i < KEY_UPDATE_BURST; i++) opening.updateKey(24 * HALF_AN_HOUR_MS);
    expect(() => opening.updateKey(25 * HALF_AN_HOUR_MS - 1)).toThrow(code('ERR_KEY_UPDATE_FLOOD'));
    expect(() => opening.updateKey(25 * HALF_AN_HOUR_MS)).not.toThrow();
  });

  it('accepts only KEY_UPDATE and CLOSE under a key beyond its hard age [R5.10]', () => {
    const opened = (type: number): Buffer => {
      const [sealing, opening] = pair({ hardAgeMs: 10 });
      return opening.open(body(sealRecord(sealing, Buffer.of(type))), 11);
    };
    for (const type of [KEY_UPDATE_TYPE, CLOSE_TYPE]) expect(opened(type)).toEqual(Buffer.of(type));
    for (const type of [1, 4, 5, 6, 7, 255]) expect(() => opened(type)).toThrow(code('ERR_KEY_EXHAUSTED'));
  });

  it('updates by age no more often than its peer allows, and continues after further records [R5.8, R5.9, R5.39]', () => {
    const [sealing, opening] = pair({ softAgeMs: 10 });
    let nowMs = 0;
    const update = (): boolean => {
      nowMs += 10;
      if (!sealing.isOld(nowMs)) return false;
      sealing.updateKey(nowMs);
      opening.updateKey(nowMs); // throws beyond the allowance
      return true;
    };
    const short = Array.from({ length: KEY_UPDATE_BURST }, () => update() && sealing.isShortOfUpdates);
    expect(short).toEqual([...Array.from({ length: 7 }, () => false), ...Array.from({ length: 9 }, () => true)]);
    expect(update()).toBe(false);
    for (let i = 0; i < KEY_UPDATE_SPACING_RECORDS; i++) opening.open(body(sealRecord(sealing, INNER)), nowMs);
    expect([update(), update()]).toEqual([true, false]);
  });

  it('never runs out of updates if they are 35 minutes apart [R5.39]', () => {
    const [sealing, opening] = pair({ softAgeMs: 35 * 60_000 });
    for (let i = 1; i <= 24; i++) {
      const nowMs = i * 35 * 60_000;
      expect([sealing.keyLeftMs(nowMs), sealing.isOld(nowMs), sealing.isShortOfUpdates]).toEqual([0, true, false]);
      sealing.updateKey(nowMs);
      opening.updateKey(nowMs);
    }
  });

  it('uses the last counter and never a further one', () => {
    const sealing = new SealingHalf(KEY, WIDE, 0, MAX_RECORDS - 1);
    const opening = new OpeningHalf(KEY, WIDE, 0, MAX_RECORDS - 1);
    expect(opening.open(body(sealRecord(sealing, INNER)), 0)).toEqual(INNER);
    expect(() => sealRecord(sealing, INNER)).toThrow(code('ERR_KEY_EXHAUSTED'));
    expect(() => opening.open(Buffer.alloc(32), 0)).toThrow(code('ERR_KEY_EXHAUSTED'));
  });
});

describe('any run of records and KEY_UPDATEs', () => {
  const inners = fc.uint8Array({ minLength: 1, maxLength: 100 }).map((bytes) => Buffer.from(bytes));
  const steps = fc.array(fc.option(inners), { maxLength: 30 });

  it('round-trips', () => {
    fc.assert(
      fc.property(steps, (run) => {
        const [sealing, opening] = pair();
        for (const step of run.filter((inner, at) => inner !== null || at % 2 === 0)) {
          const inner = step ?? Buffer.of(2);
          expect(opening.open(body(sealRecord(sealing, inner)), 0)).toEqual(inner);
          if (step !== null) continue;
          sealing.updateKey(0);
          opening.updateKey(0);
        }
      }),
    );
  });

  it('opens no record with a flipped bit or under another number', () => {
    fc.assert(
      fc.property(inners, fc.nat(), fc.integer({ min: 1, max: 5 }), (inner, bit, skipped) => {
        const [sealing, opening] = pair();
        const record = body(sealRecord(sealing, inner));
        const flipped = Buffer.from(record);
        const at = bit % (record.length * 8);
        flipped.writeUInt8(flipped.readUInt8(at >> 3) ^ (1 << (at & 7)), at >> 3);
        expect(() => opening.open(flipped, 0)).toThrow(code('ERR_BAD_MAC'));
        const later = new OpeningHalf(KEY, WIDE, 0, skipped);
        expect(() => later.open(record, 0)).toThrow(code('ERR_BAD_MAC'));
        expect(opening.open(record, 0)).toEqual(inner);
      }),
    );
  });
});
