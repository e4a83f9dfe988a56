import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeAnnouncement, encodeAnnouncement } from './payload.js';
import type { Announcement } from './payload.js';

const ANNOUNCEMENT: Announcement = {
  instanceId: Buffer.alloc(16, 0xaa),
  unixMs: 1_700_000_000_000,
  maxMessageBytes: 8 * 1024 * 1024,
  maxInFlight: 1024,
  maxIncompleteBytes: 64 * 1024 * 1024,
};
const U32_MAX = 0xffff_ffff;

const announcements = fc.record({
  instanceId: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes)),
  unixMs: fc.maxSafeNat(),
  maxMessageBytes: fc.integer({ min: 65_536, max: U32_MAX }),
  maxInFlight: fc.integer({ min: 1, max: U32_MAX }),
  maxIncompleteBytes: fc.integer({ min: 0, max: U32_MAX }),
});
const failure = (code: string): unknown => expect.objectContaining({ code, fault: 'peer' });

describe('the payload of a handshake message', () => {
  it('has 47 bytes at fixed places, features and reserved bytes 0', () => {
    expect(encodeAnnouncement(ANNOUNCEMENT).toString('hex')).toBe(
      ['aa'.repeat(16), '0000018bcfe56800', '00800000', '00000400', '04000000', '00000000', '00'.repeat(7)].join(''),
    );
  });

  it('yields what was announced', () => {
    fc.assert(
      fc.property(announcements, fc.constantFrom('client', 'server'), (announcement, from) => {
        expect(decodeAnnouncement(encodeAnnouncement(announcement), from)).toEqual(announcement);
      }),
    );
  });

  it('ignores unknown features and whatever stands in the reserved bytes [R4.4]', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 11, maxLength: 11 }), (unknown) => {
        const payload = encodeAnnouncement(ANNOUNCEMENT);
        payload.set(unknown, 36);
        expect(decodeAnnouncement(payload, 'server')).toEqual(ANNOUNCEMENT);
      }),
    );
  });

  it('never checks the clock of the peer [R4.3]', () => {
    for (const fill of [0x00, 0xff]) {
      const payload = encodeAnnouncement(ANNOUNCEMENT).fill(fill, 16, 24);
      expect(decodeAnnouncement(payload, 'client')).toEqual({ ...ANNOUNCEMENT, unixMs: expect.any(Number) });
    }
  });

  it('refuses every other length', () => {
    const payload = Buffer.concat([encodeAnnouncement(ANNOUNCEMENT), Buffer.alloc(17)]);
    for (let bytes = 0; bytes <= payload.length; bytes++) {
      if (bytes === 47) continue;
      const cut = payload.subarray(0, bytes);
      expect(() => decodeAnnouncement(cut, 'client'), `${bytes} bytes`).toThrow(failure('ERR_HANDSHAKE_MALFORMED'));
    }
  });

  it.each(['client', 'server'] as const)('refuses a %s that takes less than 64 KiB of message [R4.5]', (from) => {
    const least = encodeAnnouncement({ ...ANNOUNCEMENT, maxMessageBytes: 65_536 });
    const less = encodeAnnouncement({ ...ANNOUNCEMENT, maxMessageBytes: 65_535 });
    expect(decodeAnnouncement(least, from).maxMessageBytes).toBe(65_536);
    expect(() => decodeAnnouncement(less, from)).toThrow(failure('ERR_PEER_LIMITS'));
  });

  it('refuses a server that takes no request, where a client never serves one [R4.5]', () => {
    const none = encodeAnnouncement({ ...ANNOUNCEMENT, maxInFlight: 0 });
    expect(() => decodeAnnouncement(none, 'server')).toThrow(failure('ERR_PEER_LIMITS'));
    expect(decodeAnnouncement(none, 'client').maxInFlight).toBe(0);
  });
});

describe('any bytes in the place of a payload', () => {
  it('are limits that can be kept, or a failure with a code', () => {
    const bytes = fc.oneof(fc.uint8Array({ minLength: 47, maxLength: 47 }), fc.uint8Array({ maxLength: 60 }));
    fc.assert(
      fc.property(bytes, fc.constantFrom('client', 'server'), (payload, from) => {
        const decode = (): Announcement => decodeAnnouncement(Buffer.from(payload), from);
        if (payload.length !== 47) {
          expect(decode).toThrow(failure('ERR_HANDSHAKE_MALFORMED'));
          return;
        }
        const view = Buffer.from(payload);
        const isEnough = view.readUInt32BE(24) >= 65_536 && (from === 'client' || view.readUInt32BE(28) > 0);
        if (isEnough) expect(decode().maxIncompleteBytes).toBe(view.readUInt32BE(32));
        else expect(decode).toThrow(failure('ERR_PEER_LIMITS'));
      }),
    );
  });
});
