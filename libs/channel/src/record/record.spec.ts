import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { eachRecordBody, recordBodies } from '../../../../test/support/record-bodies.js';
import { TransportError } from '../errors.js';
import { LENGTH_BYTES, MAX_BODY_BYTES, RecordDecoder } from './record.js';

function encode(body: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(body.length);
  return Buffer.concat([length, body]);
}

describe('RecordDecoder', () => {
  const bodies = [Buffer.alloc(32, 1), Buffer.alloc(48, 2), Buffer.alloc(64, 3)];
  const stream = Buffer.concat(bodies.map(encode));

  it('yields the same bodies wherever the network split the stream', () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      const decoder = new RecordDecoder();
      const head = recordBodies(decoder, stream.subarray(0, cut));
      const tail = recordBodies(decoder, stream.subarray(cut));
      expect([...head, ...tail], `split at byte ${cut}`).toEqual(bodies);
    }
  });

  it('yields the same bodies byte by byte, and reports whether one is partial', () => {
    const decoder = new RecordDecoder();
    const out: Buffer[] = [];
    for (const byte of stream) {
      const complete = recordBodies(decoder, Buffer.of(byte));
      out.push(...complete);
      expect(decoder.isPartial).toBe(complete.length === 0);
    }
    expect(out).toEqual(bodies);
  });

  it.each([0, 16, 31, 33, 47, MAX_BODY_BYTES + 1, 65_535])('refuses a length of %i by the length alone', (length) => {
    const prefix = Buffer.alloc(LENGTH_BYTES);
    prefix.writeUInt16BE(length);
    expect(() => recordBodies(new RecordDecoder(), prefix)).toThrow(
      expect.objectContaining({ code: 'ERR_RECORD_LENGTH', fault: 'peer' }),
    );
  });

  it('takes the largest length', () => {
    const body = Buffer.alloc(MAX_BODY_BYTES, 9);
    expect(recordBodies(new RecordDecoder(), encode(body))).toEqual([body]);
  });

  it('drops the rest of a chunk if the next one arrives before all records are taken', () => {
    const decoder = new RecordDecoder();
    decoder.push(stream);
    const seen = [decoder.next(), decoder.next()];
    decoder.push(stream.subarray(0, 34));
    seen.push(decoder.next(), decoder.next());
    expect(seen).toEqual([...bodies.slice(0, 2), bodies[0], undefined]);
  });

  it('returns a view of the chunk if the record lies whole in it, and a copy otherwise', () => {
    const decoder = new RecordDecoder();
    const read = Buffer.alloc(stream.length, stream);
    const all = [read.subarray(0, 40), read.subarray(40)].flatMap((chunk) => recordBodies(decoder, chunk));
    expect(all.map((body) => body.buffer === read.buffer)).toEqual([true, false, true]);
  });
});

describe('any stream of bytes', () => {
  const part = fc.oneof(
    fc.integer({ min: 2, max: 40 }).map((blocks) => encode(Buffer.alloc(16 * blocks, blocks))),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  );

  /** Every body, and how it ended. */
  function cutInto(chunks: readonly Buffer[]): readonly unknown[] {
    const decoder = new RecordDecoder();
    const seen: unknown[] = [];
    try {
      for (const chunk of chunks) for (const body of eachRecordBody(decoder, chunk)) seen.push(body.toString('hex'));
      return [...seen, decoder.isPartial];
    } catch (error) {
      return [...seen, error instanceof TransportError ? error.code : error];
    }
  }

  it('is split into the same records for any chunks, also byte by byte', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), sizes, (parts, lengths) => {
        const stream = Buffer.concat(parts);
        const chunks: Buffer[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const length = lengths[turn % lengths.length] ?? 1;
          chunks.push(stream.subarray(at, at + length));
          at += length;
        }
        const whole = cutInto([stream]);
        expect(cutInto(chunks)).toEqual(whole);
        expect(cutInto([...stream].map((byte) => Buffer.of(byte)))).toEqual(whole);
        expect([true, false, 'ERR_RECORD_LENGTH']).toContain(whole.at(-1));
      }),
    );
  });
});
