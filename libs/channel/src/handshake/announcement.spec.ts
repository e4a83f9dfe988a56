import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeAnnouncement, encodeAnnouncement } from './announcement.js';
import type { Announcement } from './announcement.js';

const ANNOUNCEMENT: Announcement = {
  unixMs: 1_700_000_000_000,
  maxMessageBytes: 8 * 1024 * 1024,
  maxInFlight: 1024,
  maxIncompleteBytes: 64 * 1024 * 1024,
};
const U32_MAX = 0xffff_ffff;

const announcements = fc.record({
  unixMs: fc.maxSafeNat(),
  maxMessageBytes: fc.integer({ min: 65_536, max: U32_MAX }),
  maxInFlight: fc.integer({ min: 1, max: U32_MAX }),
  maxIncompleteBytes: fc.integer({ min: 0, max: U32_MAX }),
});
const failure = (code: string): unknown => expect.objectContaining({ code, fault: 'peer' });

describe('an announcement', () => {
  it('has 30 bytes at fixed offsets, features and reserved bytes 0 [R4.4]', () => {
    expect(encodeAnnouncement(ANNOUNCEMENT).toString('hex')).toBe(
      ['0000018bcfe56800', '00800000', '00000400', '04000000', '00000000', '00'.repeat(6)].join(''),
    );
  });

  it('decodes to the encoded values', () => {
    fc.assert(
      fc.property(announcements, fc.constantFrom('client', 'server'), (announcement, from) => {
        expect(decodeAnnouncement(encodeAnnouncement(announcement), from)).toEqual(announcement);
      }),
    );
  });

  it('of a server may offer any features, and have any reserved bytes [R4.4]', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 10, maxLength: 10 }), (unknown) => {
        const bytes = encodeAnnouncement(ANNOUNCEMENT);
        bytes.set(unknown, 20);
        expect(decodeAnnouncement(bytes, 'server')).toEqual(ANNOUNCEMENT);
      }),
    );
  });

  it('of a client may have any reserved bytes, but no feature because none is offered [R4.4]', () => {
    const reserved = encodeAnnouncement(ANNOUNCEMENT).fill(0xff, 24);
    expect(decodeAnnouncement(reserved, 'client')).toEqual(ANNOUNCEMENT);
    for (let bit = 0; bit < 32; bit++) {
      const chosen = encodeAnnouncement(ANNOUNCEMENT);
      chosen.writeUInt32BE(2 ** bit, 20);
      expect(() => decodeAnnouncement(chosen, 'client'), `bit ${bit}`).toThrow(failure('ERR_HANDSHAKE_MALFORMED'));
    }
  });

  it('is accepted with any clock [R4.3]', () => {
    for (const fill of [0x00, 0xff]) {
      const bytes = encodeAnnouncement(ANNOUNCEMENT).fill(fill, 0, 8);
      expect(decodeAnnouncement(bytes, 'client')).toEqual({ ...ANNOUNCEMENT, unixMs: expect.any(Number) });
    }
  });

  it.each(['client', 'server'] as const)('is refused if the %s accepts less than 64 KiB of message [R4.5]', (from) => {
    const least = encodeAnnouncement({ ...ANNOUNCEMENT, maxMessageBytes: 65_536 });
    const less = encodeAnnouncement({ ...ANNOUNCEMENT, maxMessageBytes: 65_535 });
    expect(decodeAnnouncement(least, from).maxMessageBytes).toBe(65_536);
    expect(() => decodeAnnouncement(less, from)).toThrow(failure('ERR_PEER_LIMITS'));
  });

  it('is refused from a server with 0 requests in flight, and accepted from a client [R4.5]', () => {
    const none = encodeAnnouncement({ ...ANNOUNCEMENT, maxInFlight: 0 });
    expect(() => decodeAnnouncement(none, 'server')).toThrow(failure('ERR_PEER_LIMITS'));
    expect(decodeAnnouncement(none, 'client').maxInFlight).toBe(0);
  });
});

describe('any bytes in the place of an announcement', () => {
  it('are decoded to valid limits, or rejected with a code', () => {
    const bytes = fc.oneof(fc.uint8Array({ minLength: 30, maxLength: 30 }), fc.uint8Array({ maxLength: 60 }));
    fc.assert(
      fc.property(bytes, (input) => {
        const view = Buffer.from(input);
        const decode = (): Announcement => decodeAnnouncement(view, 'server');
        if (view.length !== 30) expect(decode).toThrow(failure('ERR_HANDSHAKE_MALFORMED'));
        else if (view.readUInt32BE(8) < 65_536 || view.readUInt32BE(12) === 0) {
          expect(decode).toThrow(failure('ERR_PEER_LIMITS'));
        } else expect(decode().maxIncompleteBytes).toBe(view.readUInt32BE(16));
      }),
    );
  });
});
