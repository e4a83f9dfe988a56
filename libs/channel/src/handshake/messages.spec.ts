import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { TransportError } from '../errors.js';
import {
  checkMessage1Prefix,
  decodeMessage1,
  decodeMessage2,
  encodeHeader,
  encodeMessage1,
  encodeMessage2,
  encodePrologue,
  expectedReplyBytes,
  MESSAGE_1_BYTES,
  MESSAGE_2_BYTES,
} from './messages.js';
import { ALERT, PREAMBLE_BYTES } from './preamble.js';

const KEY_ID = Buffer.from('0b56bfc1696f34ec', 'hex');
const EXCHANGE = Buffer.alloc(96, 0x5a);
const EXCHANGE_1 = EXCHANGE.subarray(0, 64);
const MESSAGE_1 = encodeMessage1(encodeHeader(KEY_ID), EXCHANGE_1);
const MESSAGE_2 = encodeMessage2(EXCHANGE);

const failure = (code: string): unknown => expect.objectContaining({ code, fault: 'peer' });
const malformed = failure('ERR_HANDSHAKE_MALFORMED');

function* wrongPreambles(message: Buffer): Generator<{ name: string; at: number; wrong: Buffer }> {
  for (let at = 0; at < PREAMBLE_BYTES; at++) {
    for (let value = 0; value < 256; value++) {
      const wrong = Buffer.from(message);
      wrong.writeUInt8(value, at);
      if (!wrong.equals(message)) yield { name: `byte ${at} is ${value}`, at, wrong };
    }
  }
}

function outcomeOf(received: Buffer): unknown {
  try {
    expectedReplyBytes(received);
    return 'waits';
  } catch (error) {
    return error instanceof TransportError ? error.code : error;
  }
}

const otherProtocols = [
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
  ['TLS', Buffer.from('16030100c8010000c40303', 'hex')],
  ["Nest's own TCP", Buffer.from('12#{"pattern":"sum"}')],
  ['an empty length', Buffer.alloc(4)],
] as const;

describe('message 1', () => {
  it('has 80 bytes and yields its header, key id and exchange', () => {
    expect(MESSAGE_1).toHaveLength(MESSAGE_1_BYTES);
    expect(decodeMessage1(MESSAGE_1)).toEqual({
      header: MESSAGE_1.subarray(0, 16),
      keyId: KEY_ID,
      exchange: EXCHANGE_1,
    });
  });

  it('is refused at every other length', () => {
    const longer = Buffer.concat([MESSAGE_1, MESSAGE_1]);
    for (let bytes = 0; bytes <= longer.length; bytes++) {
      if (bytes === MESSAGE_1_BYTES) continue;
      expect(() => decodeMessage1(longer.subarray(0, bytes)), `${bytes} bytes`).toThrow(malformed);
    }
  });

  it('is refused with any other preamble', () => {
    for (const { name, wrong } of wrongPreambles(MESSAGE_1)) {
      expect(() => decodeMessage1(wrong), name).toThrow(malformed);
    }
  });
});

describe('message 2', () => {
  it('has 104 bytes and yields its exchange', () => {
    expect(MESSAGE_2).toHaveLength(MESSAGE_2_BYTES);
    expect(decodeMessage2(MESSAGE_2)).toEqual(EXCHANGE);
  });

  it('is refused at every other length', () => {
    const longer = Buffer.concat([MESSAGE_2, MESSAGE_2]);
    for (let bytes = 0; bytes <= longer.length; bytes++) {
      if (bytes === MESSAGE_2_BYTES) continue;
      expect(() => decodeMessage2(longer.subarray(0, bytes)), `${bytes} bytes`).toThrow(malformed);
    }
  });

  it('is refused with any other preamble', () => {
    for (const { name, wrong } of wrongPreambles(MESSAGE_2)) {
      expect(() => decodeMessage2(wrong), name).toThrow(malformed);
    }
  });
});

describe('the prologue', () => {
  const header = encodeHeader(KEY_ID);

  it('counts the bytes of the service name, not its characters', () => {
    const prologue = encodePrologue(header, 'größe');
    expect(prologue.subarray(-9).toString('hex')).toBe(`0007${Buffer.from('größe').toString('hex')}`);
  });

  it('differs if the service or the key id differs', () => {
    const keyIds = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes));
    const choices = fc.tuple(fc.string({ unit: 'grapheme' }), keyIds);
    fc.assert(
      fc.property(choices, choices, ([service, keyId], [otherService, otherKeyId]) => {
        const same = service === otherService && keyId.equals(otherKeyId);
        const prologue = encodePrologue(encodeHeader(keyId), service);
        expect(prologue.equals(encodePrologue(encodeHeader(otherKeyId), otherService))).toBe(same);
      }),
    );
  });
});

describe('checkMessage1Prefix', () => {
  it('accepts any prefix of message 1', () => {
    for (let bytes = 0; bytes <= MESSAGE_1_BYTES; bytes++) {
      expect(() => checkMessage1Prefix(MESSAGE_1.subarray(0, bytes)), `${bytes} bytes`).not.toThrow();
    }
  });

  it('refuses at the first wrong byte and not before [R4.2]', () => {
    for (const { name, at, wrong } of wrongPreambles(MESSAGE_1)) {
      expect(() => checkMessage1Prefix(wrong.subarray(0, at)), name).not.toThrow();
      expect(() => checkMessage1Prefix(wrong.subarray(0, at + 1)), name).toThrow(malformed);
      expect(() => checkMessage1Prefix(wrong), name).toThrow(malformed);
    }
  });

  it.each(otherProtocols)('refuses %s at its first byte [R4.2]', (_, bytes) => {
    expect(() => checkMessage1Prefix(bytes.subarray(0, 1))).toThrow(malformed);
    expect(() => checkMessage1Prefix(bytes)).toThrow(malformed);
  });

  it.each([
    ['message 2', MESSAGE_2],
    ['an alert', ALERT],
  ])('refuses %s, which only a server sends', (_, message) => {
    expect(() => checkMessage1Prefix(message)).toThrow(malformed);
  });

  it('refuses bytes after message 1, because nothing may follow before message 2 [R4.10]', () => {
    const early = Buffer.concat([MESSAGE_1, Buffer.alloc(1)]);
    expect(() => checkMessage1Prefix(early)).toThrow(failure('ERR_EARLY_BYTES'));
  });
});

describe('expectedReplyBytes', () => {
  it.each([
    ['message 2', MESSAGE_2, MESSAGE_2_BYTES],
    ['an alert', Buffer.concat([ALERT, Buffer.alloc(3)]), ALERT.length],
  ] as const)('identifies %s by its type, the sixth byte', (_, reply, bytes) => {
    for (let received = 0; received <= reply.length; received++) {
      const expected = received < 6 ? undefined : bytes;
      expect(expectedReplyBytes(reply.subarray(0, received)), `${received} bytes`).toBe(expected);
    }
  });

  it('refuses at the first wrong byte and not before [R4.2]', () => {
    for (const { name, at, wrong } of wrongPreambles(MESSAGE_2)) {
      if (wrong.readUInt8(5) === 0xff) continue; // the type of an alert, whose length is looked at below
      expect(() => expectedReplyBytes(wrong.subarray(0, at)), name).not.toThrow();
      expect(() => expectedReplyBytes(wrong.subarray(0, at + 1)), name).toThrow(malformed);
      expect(() => expectedReplyBytes(wrong), name).toThrow(malformed);
    }
  });

  it('refuses an alert that announces a length', () => {
    for (const { name, at, wrong } of wrongPreambles(ALERT)) {
      if (at < 6) continue;
      expect(() => expectedReplyBytes(wrong.subarray(0, at + 1)), name).toThrow(malformed);
    }
  });

  it.each(otherProtocols)('refuses %s at its first byte [R4.2]', (_, bytes) => {
    expect(() => expectedReplyBytes(bytes.subarray(0, 1))).toThrow(malformed);
  });

  it('refuses a server that echoes message 1', () => {
    expect(() => expectedReplyBytes(MESSAGE_1)).toThrow(malformed);
  });

  it('never waits for input that is neither an alert nor message 2', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: PREAMBLE_BYTES }), (bytes, right) => {
        const received = Buffer.concat([MESSAGE_2.subarray(0, right), bytes]);
        const start = received.subarray(0, PREAMBLE_BYTES);
        const fits = [MESSAGE_2, ALERT].some((reply) => reply.subarray(0, start.length).equals(start));
        expect(outcomeOf(received)).toBe(fits ? 'waits' : 'ERR_HANDSHAKE_MALFORMED');
      }),
    );
  });
});

describe('bytes in the place of a message', () => {
  const nearly = (message: Buffer): fc.Arbitrary<Buffer> =>
    fc
      .tuple(fc.nat({ max: message.length }), fc.uint8Array({ maxLength: message.length }))
      .map(([right, rest]) => Buffer.concat([message.subarray(0, right), rest]));

  it('are a message 1 or message 2 that round-trips, or malformed', () => {
    fc.assert(
      fc.property(nearly(MESSAGE_1), nearly(MESSAGE_2), (first, second) => {
        if (first.length === MESSAGE_1_BYTES && first.subarray(0, 8).equals(MESSAGE_1.subarray(0, 8))) {
          const { header, exchange } = decodeMessage1(first);
          expect(encodeMessage1(header, exchange)).toEqual(first);
        } else expect(() => decodeMessage1(first)).toThrow(malformed);
        if (second.length === MESSAGE_2_BYTES && second.subarray(0, 8).equals(MESSAGE_2.subarray(0, 8))) {
          expect(encodeMessage2(decodeMessage2(second))).toEqual(second);
        } else expect(() => decodeMessage2(second)).toThrow(malformed);
      }),
    );
  });
});
