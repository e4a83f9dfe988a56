import { describe, expect, it } from 'vitest';

import { decodeEvent, decodeRequest } from '../../libs/transport/src/frame/message.js';
import { decodeData } from '../../libs/transport/src/frame/payload.js';
import { decodeContent } from '../../libs/transport/src/record/content.js';
import { OpeningHalf, SealingHalf } from '../../libs/transport/src/record/half-connection.js';
import type { KeyLimits } from '../../libs/transport/src/record/half-connection.js';
import { decodeFrames, encodeContent, encodeFrames } from '../support/frames.js';
import vectors from './channel-v1.json' with { type: 'json' };

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const LIMITS: KeyLimits = {
  softBytes: 2 ** 30,
  hardBytes: 2 ** 32,
  softRecords: 2 ** 20,
  hardRecords: 2 ** 22,
  softAgeMs: 1e6,
  hardAgeMs: 2e6,
};

const directions = [
  { name: 'client to server', key: hex(vectors.keyClientToServer), records: vectors.clientToServer },
  { name: 'server to client', key: hex(vectors.keyServerToClient), records: vectors.serverToClient },
];

/** A half that has opened the first `count` records of a direction. */
function openedUpTo(count: number, { key, records }: (typeof directions)[number]): OpeningHalf {
  const half = new OpeningHalf(key, LIMITS, 0);
  for (const { record } of records.slice(0, count)) {
    if (decodeContent(half.open(hex(record).subarray(2), 0)).type === 'KEY_UPDATE') half.updateKey(0);
  }
  return half;
}

describe.each(directions)('the records of channel-v1.json, $name', (direction) => {
  it('are sealed byte for byte, across the KEY_UPDATE', () => {
    const half = new SealingHalf(direction.key, LIMITS, 0);
    for (const { inner, record, says } of direction.records) {
      expect(half.seal(hex(inner)).toString('hex'), says).toBe(record);
      if (says === 'KEY_UPDATE') half.updateKey(0);
    }
  });

  it('are opened byte for byte, and mean what they say', () => {
    const half = new OpeningHalf(direction.key, LIMITS, 0);
    for (const { inner, record, says } of direction.records) {
      const opened = half.open(hex(record).subarray(2), 0);
      const content = decodeContent(opened);
      expect(opened.toString('hex'), says).toBe(inner);
      expect(encodeContent(content).toString('hex'), says).toBe(inner);
      if (content.type === 'DATA') expect(encodeFrames(decodeFrames(content.frames))).toEqual(content.frames);
      else expect(says).toContain(content.type);
      if (content.type === 'KEY_UPDATE') half.updateKey(0);
    }
  });

  it('do not open with any single bit flipped, and the genuine one still opens afterwards', () => {
    for (const [index, { record, inner, says }] of direction.records.entries()) {
      const half = openedUpTo(index, direction);
      const body = hex(record).subarray(2);
      for (let bit = 0; bit < body.length * 8; bit++) {
        const altered = Buffer.from(body);
        altered[bit >> 3] = altered.readUInt8(bit >> 3) ^ (1 << (bit & 7));
        expect(() => half.open(altered, 0), `${says}, bit ${bit}`).toThrow(
          expect.objectContaining({ code: 'ERR_OPEN_FAILED' }),
        );
      }
      expect(half.open(body, 0).toString('hex')).toBe(inner);
    }
  });

  it('do not open when cut short, replayed, swapped or left out', () => {
    const [first, second] = direction.records.map(({ record }) => hex(record).subarray(2));
    if (first === undefined || second === undefined) throw new TypeError('two records are needed');
    const failure = expect.objectContaining({ code: 'ERR_OPEN_FAILED' });
    expect(() => openedUpTo(0, direction).open(first.subarray(0, first.length - 16), 0)).toThrow(failure);
    expect(() => openedUpTo(1, direction).open(first, 0)).toThrow(failure);
    expect(() => openedUpTo(0, direction).open(second, 0)).toThrow(failure);
  });
});

describe('the messages in channel-v1.json', () => {
  const framesOf = (inner: string) => {
    const content = decodeContent(hex(inner));
    if (content.type !== 'DATA') throw new TypeError('not a DATA record');
    return decodeFrames(content.frames);
  };
  const inner = (list: readonly { says: string; inner: string }[], start: string): string =>
    list.find(({ says }) => says.startsWith(start))?.inner ?? '';

  it('are a request with its timeout, pattern, metadata and data', () => {
    const [frame] = framesOf(inner(vectors.clientToServer, 'REQUEST 1'));
    expect(frame).toMatchObject({ kind: 'REQUEST', stream: 1, more: false });
    expect(decodeRequest(frame?.payload ?? Buffer.alloc(0))).toMatchObject({
      timeoutMs: 5000,
      pattern: 'sum',
      metadata: { traceparent: '00-ab' },
      data: [1, 2, 3],
    });
  });

  it('are an event, and a request of raw bytes', () => {
    const [event, request] = framesOf(inner(vectors.clientToServer, 'EVENT'));
    expect(decodeEvent(event?.payload ?? Buffer.alloc(0))).toMatchObject({
      sequence: 0,
      pattern: 'notify',
      data: true,
    });
    expect(decodeRequest(request?.payload ?? Buffer.alloc(0))).toMatchObject({
      timeoutMs: 0,
      pattern: 'blob',
      data: Buffer.of(1, 2, 3, 4, 5),
    });
  });

  it('are an answer that is complete, an acknowledgement, and an error', () => {
    const [next, ack] = framesOf(inner(vectors.serverToClient, 'NEXT'));
    expect(next).toMatchObject({ kind: 'NEXT', stream: 1, last: true });
    expect(decodeData(next?.payload ?? Buffer.alloc(0))).toBe(6);
    expect(ack).toMatchObject({ kind: 'ACK', stream: 2 });
    const [error] = framesOf(inner(vectors.serverToClient, 'ERROR'));
    expect(decodeData(error?.payload ?? Buffer.alloc(0))).toEqual({ status: 'error', message: 'boom' });
  });
});
