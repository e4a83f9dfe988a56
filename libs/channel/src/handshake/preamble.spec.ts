import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ALERT, ALERT_BYTES, beginsLike, encodePreamble, PREAMBLE_BYTES } from './preamble.js';

describe('the preamble', () => {
  it.each([
    ['message1', 112, 'e1534c5701010068'],
    ['message2', 104, 'e1534c5701020060'],
    ['alert', 8, 'e1534c5701ff0000'],
  ] as const)('of %s contains magic, version, type, and how many of its %i bytes follow', (type, bytes, hex) => {
    expect(encodePreamble(type, bytes).toString('hex')).toBe(hex);
  });

  it('alone is the alert: 8 bytes without information', () => {
    expect(ALERT).toEqual(encodePreamble('alert', ALERT_BYTES));
    expect(ALERT).toHaveLength(PREAMBLE_BYTES);
  });

  it('is recognized by any prefix of it, whatever follows', () => {
    const message = Buffer.concat([ALERT, Buffer.from('anything')]);
    for (let bytes = 0; bytes <= message.length; bytes++) {
      expect(beginsLike(message.subarray(0, bytes), ALERT), `${bytes} bytes`).toBe(true);
    }
  });

  it('is distinguished from another by the first byte that differs', () => {
    const message1 = encodePreamble('message1', 112);
    for (let at = 0; at < PREAMBLE_BYTES; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const wrong = Buffer.from(message1);
        wrong.writeUInt8(wrong.readUInt8(at) ^ (1 << bit), at);
        expect(beginsLike(wrong.subarray(0, at), message1), `before byte ${at}`).toBe(true);
        expect(beginsLike(wrong.subarray(0, at + 1), message1), `bit ${bit} of byte ${at}`).toBe(false);
        expect(beginsLike(wrong, message1), `bit ${bit} of byte ${at}, whole`).toBe(false);
      }
    }
  });
});

describe('any bytes', () => {
  it('match the beginning of a message until the first byte that differs [R4.2]', () => {
    const message1 = encodePreamble('message1', 112);
    const bytes = fc.tuple(fc.nat({ max: PREAMBLE_BYTES }), fc.uint8Array({ maxLength: 20 }));
    fc.assert(
      fc.property(bytes, ([right, rest]) => {
        const received = Buffer.concat([message1.subarray(0, right), rest]);
        const differs = [...received.subarray(0, PREAMBLE_BYTES)].some((byte, at) => byte !== message1[at]);
        expect(beginsLike(received, message1)).toBe(!differs);
      }),
    );
  });
});
