import { describe, expect, it } from 'vitest';

import { checkPayload1, decodePayload2, encodePayload1, encodePayload2 } from './payload.js';
import type { ServerPayload } from './payload.js';

const SERVER: ServerPayload = {
  instanceId: Buffer.alloc(16, 0xbb),
  announcement: { unixMs: 1, maxMessageBytes: 65_536, maxInFlight: 1, maxIncompleteBytes: 0 },
};
const malformed = expect.objectContaining({ code: 'ERR_HANDSHAKE_MALFORMED', fault: 'peer' });

describe('payload 1', () => {
  it('is 15 bytes of zeros and identifies no client [R4.21]', () => {
    expect(encodePayload1()).toEqual(Buffer.alloc(15));
  });

  it('is accepted with any 15 bytes [R4.4], and refused at any other length [R4.21]', () => {
    for (let bytes = 0; bytes <= 48; bytes++) {
      const check = (): void => checkPayload1(Buffer.alloc(bytes, 0xff));
      if (bytes === 15) expect(check).not.toThrow();
      else expect(check, `${bytes} bytes`).toThrow(malformed);
    }
  });
});

describe('payload 2', () => {
  it('is the instance id of the server, then its announcement', () => {
    const payload = encodePayload2(SERVER);
    expect(payload.toString('hex')).toBe(
      `${'bb'.repeat(16)}0000000000000001000100000000000100000000${'00'.repeat(10)}`,
    );
    expect(decodePayload2(payload)).toEqual(SERVER);
  });

  it('is refused at any length but 46 [R4.21]', () => {
    const payload = Buffer.concat([encodePayload2(SERVER), Buffer.alloc(18)]);
    for (let bytes = 0; bytes <= payload.length; bytes++) {
      if (bytes === 46) continue;
      expect(() => decodePayload2(payload.subarray(0, bytes)), `${bytes} bytes`).toThrow(malformed);
    }
  });
});
