import { takeCodec } from '@sealwire/channel/internal';
import type { OutgoingContent } from '@sealwire/channel/internal';
import { beforeEach, describe, expect, it } from 'vitest';

import { RowQueue } from './row-queue.js';
import { TappedCodec } from './tapped-codec.js';
import { WireTap } from './wire-tap.js';

const LIMITS = {
  softBytes: 1e9,
  hardBytes: 2e9,
  softRecords: 64,
  hardRecords: 1e6,
  softAgeMs: 3_600_000,
  hardAgeMs: 7_200_000,
};
const SECRET = 'no row may contain this text';
const PING: OutgoingContent = { type: 'PING', token: Buffer.alloc(8) };
const KEY_UPDATE: OutgoingContent = { type: 'KEY_UPDATE' };
const NOTHING: OutgoingContent = { type: 'DATA', frames: { writeFrames: () => 0 } };
const DATA: OutgoingContent = { type: 'DATA', frames: { writeFrames: (target, at) => target.write(SECRET, at) } };

const newKeys = () => [Buffer.alloc(32, 1), Buffer.alloc(32, 2)] as const;

function sessionOf(outgoingKey: Buffer, incomingKey: Buffer) {
  return { outgoingKey, incomingKey, keyId: Buffer.from('0123456789abcdef', 'hex') };
}

describe('a tapped codec', () => {
  let tap: WireTap;
  let queue: RowQueue;
  let near: TappedCodec;
  let far: ReturnType<typeof takeCodec>;

  const rows = (): Record<string, unknown>[] =>
    queue
      .take()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  beforeEach(() => {
    const [one, other] = newKeys();
    tap = new WireTap();
    queue = new RowQueue();
    near = new TappedCodec(takeCodec(sessionOf(one, other), LIMITS), tap.open('127.0.0.1:8080', '0123456789abcdef'));
    const [same, asWell] = newKeys();
    far = takeCodec(sessionOf(asWell, same), LIMITS);
    tap.attach(queue);
  });

  it('shows each record as it is on the wire, with its number and key, and none of its text', () => {
    const records = near.serializer.serialize([PING, NOTHING, DATA]);
    const pingBytes = 2 + records.readUInt16BE(0);
    const shown = rows();
    expect(shown).toMatchObject([
      { direction: 'sent', number: 0, type: 'PING', bytes: pingBytes, keyId: '0123456789abcdef', connection: 1 },
      { direction: 'sent', number: 1, type: 'DATA', bytes: records.length - pingBytes, server: '127.0.0.1:8080' },
    ]);
    expect(shown[1]?.['sealed']).toBe(records.subarray(pingBytes).toString('hex', 0, 48));
    expect(JSON.stringify(shown)).not.toContain(SECRET);
    expect(JSON.stringify(shown)).not.toContain(Buffer.from(SECRET).toString('hex'));
  });

  it('names the key updates that the codec puts before other records', () => {
    for (let count = 0; count < LIMITS.softRecords; count++) near.serializer.serialize([DATA]);
    rows();
    near.serializer.serialize([PING, KEY_UPDATE, DATA]);
    expect(rows().map(({ type, number }) => [type, number])).toEqual([
      ['PING', 64],
      ['KEY_UPDATE', 65],
      ['DATA', 66],
    ]);
  });

  it('shows received records before they are opened, and marks a forged one as refused', () => {
    const record = far.serializer.serialize([DATA]);
    const body = Buffer.from(record.subarray(2));
    const forged = Buffer.from(body);
    forged[5] = (forged[5] ?? 0) ^ 1;
    near.deserializer.deserialize(body);
    expect(() => near.deserializer.deserialize(forged)).toThrow(expect.objectContaining({ code: 'ERR_BAD_MAC' }));
    const [genuine, refused] = rows();
    expect(genuine).toMatchObject({ direction: 'received', number: 0, type: 'DATA', bytes: record.length });
    expect(genuine?.['sealed']).toBe(record.toString('hex', 0, 48));
    expect(refused).toMatchObject({ direction: 'received', number: 1, type: 'REFUSED' });
  });

  it('measures the round trip of a PING', () => {
    near.serializer.serialize([PING]);
    expect(tap.connections).toMatchObject([{ sent: 1, received: 0 }]);
    expect(tap.connections[0]?.roundTripMs).toBeUndefined();
    const pong = far.serializer.serialize([{ type: 'PONG', token: Buffer.alloc(8) }]);
    near.deserializer.deserialize(Buffer.from(pong.subarray(2)));
    expect(tap.connections[0]?.roundTripMs).toBeGreaterThan(0);
  });

  it('forgets the connection when its keys are wiped', () => {
    expect(tap.connections).toHaveLength(1);
    near.serializer.wipe();
    expect(tap.connections).toEqual([]);
  });
});
