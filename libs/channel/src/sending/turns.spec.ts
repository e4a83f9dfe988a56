import { describe, expect, it } from 'vitest';

import { decodeFrames, messageOf } from '../../../../test/support/frames.js';
import type { PlainFrame } from '../../../../test/support/frames.js';
import { FrameSender } from './sender.js';
import { SendingStream } from './sending-stream.js';

const RECORD_BYTES = 65_502;
const SMALL_BYTES = 16_384;
const LARGE_BYTES = 1_000_000;

class Senders {
  readonly sender = new FrameSender<SendingStream>(2 ** 30);
  #ids = 0;

  send(bytes: number, count = 1): void {
    for (let left = count; left > 0; left--) {
      this.#ids += 1;
      this.sender.sendMessage(new SendingStream(this.#ids), 'REQUEST', messageOf(Buffer.alloc(bytes, 1)));
    }
  }

  /** The frames of the next record. */
  record(): PlainFrame[] {
    const record = Buffer.alloc(RECORD_BYTES);
    this.sender.beginRecord();
    let bytes = 0;
    for (let frames = 0; frames < 16; frames++) {
      const written = this.sender.writeNext(record, bytes, RECORD_BYTES - bytes);
      if (written === 0) break;
      bytes += written;
    }
    return decodeFrames(record.subarray(0, bytes));
  }

  /** By what each of the next records is led. */
  leads(count: number): string[] {
    return Array.from({ length: count }, () => {
      const [first] = this.record();
      if (first === undefined) return 'none';
      return first.more || first.total > 0 || first.payload.length > SMALL_BYTES ? 'bulk' : 'small';
    });
  }
}

const seven = Array.from({ length: 7 }, () => 'small');

describe('the turns of streams', () => {
  it.each([
    ['of several frames', LARGE_BYTES],
    ['of one frame', 16_385],
  ])('leave one record in eight to bulk %s, however many small messages wait [R5.35]', (_what, bytes) => {
    const senders = new Senders();
    senders.send(bytes, 16);
    senders.send(SMALL_BYTES, 200);
    expect(senders.leads(24)).toEqual([...seven, 'bulk', ...seven, 'bulk', ...seven, 'bulk']);
  });

  it('give bulk no record while it is held, and count none of these records for its share', () => {
    const senders = new Senders();
    senders.send(LARGE_BYTES, 4);
    senders.send(SMALL_BYTES, 200);
    senders.sender.holdBulk(true);
    expect(senders.leads(20)).toEqual(Array.from({ length: 20 }, () => 'small'));
    expect(senders.sender.bulkIsPassed).toBe(true);
    senders.sender.holdBulk(false);
    expect(senders.leads(8)).toEqual([...seven, 'bulk']);
    expect(senders.sender.bulkIsPassed).toBe(false);
  });

  it('do not count held messages as ready', () => {
    const senders = new Senders();
    senders.send(LARGE_BYTES);
    senders.send(20_000);
    senders.send(100, 3);
    expect(senders.sender).toMatchObject({ readyCount: 5, readyBytes: LARGE_BYTES + 20_300 });
    senders.sender.holdBulk(true);
    expect(senders.sender).toMatchObject({ readyCount: 3, readyBytes: 300, hasBulk: true });
    expect(senders.record()).toHaveLength(3);
    expect(senders.sender).toMatchObject({ readyCount: 0, readyBytes: 0 });
    expect(senders.record()).toEqual([]);
  });

  it('hold messages that wait after bulk on the same stream [R5.33]', () => {
    const { sender } = new Senders();
    const stream = new SendingStream(1);
    sender.sendMessage(stream, 'NEXT', messageOf(Buffer.alloc(20_000)));
    sender.sendMessage(stream, 'NEXT', messageOf(Buffer.alloc(10)));
    sender.sendSignal(stream, 'COMPLETE');
    sender.holdBulk(true);
    expect(sender.readyCount).toBe(0);
    sender.holdBulk(false);
    const record = Buffer.alloc(RECORD_BYTES);
    sender.writeNext(record, 0, RECORD_BYTES);
    sender.holdBulk(true);
    expect(sender.readyCount).toBe(1);
  });

  it('let a small error that drops bulk pass it, and hold a large one [R5.33]', () => {
    for (const [bytes, readyCount] of [
      [SMALL_BYTES, 1],
      [SMALL_BYTES + 1, 0],
    ] as const) {
      const { sender } = new Senders();
      const stream = new SendingStream(1);
      sender.sendMessage(stream, 'NEXT', messageOf(Buffer.alloc(LARGE_BYTES)));
      sender.writeNext(Buffer.alloc(RECORD_BYTES), 0, RECORD_BYTES);
      sender.holdBulk(true);
      sender.replace(stream, messageOf(Buffer.alloc(bytes)));
      expect(sender.readyCount).toBe(readyCount);
    }
  });

  it.each([
    ['alone', 0, 4],
    ['next to small messages, in one record of eight', 400, 8],
  ])('give each of 16 large messages a fragment within a few records, %s [R6.32]', (_what, small, records) => {
    const senders = new Senders();
    senders.send(LARGE_BYTES, 16);
    senders.send(SMALL_BYTES, small);
    for (let round = 0; round < 3; round++) {
      const frames = Array.from({ length: records }, () => senders.record()).flat();
      const streams = new Set(frames.filter(({ more }) => more).map(({ stream }) => stream));
      expect(streams.size).toBeGreaterThanOrEqual(15); // what does not fit is first in the next
    }
  });

  it('give a large message its fragments between any number of messages of one frame [R6.32]', () => {
    const senders = new Senders();
    senders.send(64_000, 100);
    senders.send(LARGE_BYTES);
    for (let round = 0; round < 10; round++) {
      const frames = [...senders.record(), ...senders.record()];
      expect(frames.some(({ more }) => more)).toBe(true);
      expect(frames.some(({ payload, more }) => payload.length === 64_000 && !more)).toBe(true);
    }
  });
});

describe('the room that the peer gives to incomplete messages', () => {
  it.each(['replace', 'cancel'] as const)(
    'is free only when the frame that drops a message is sealed: %s [R6.18]',
    (how) => {
      const sender = new FrameSender<SendingStream>(1_500_000);
      const [dropped, next] = [new SendingStream(1), new SendingStream(2)];
      sender.sendMessage(dropped, 'NEXT', messageOf(Buffer.alloc(LARGE_BYTES)));
      sender.writeNext(Buffer.alloc(RECORD_BYTES), 0, RECORD_BYTES);
      sender.sendMessage(next, 'NEXT', messageOf(Buffer.alloc(LARGE_BYTES)));
      if (how === 'cancel') sender.cancel(dropped);
      else sender.replace(dropped, messageOf(Buffer.alloc(SMALL_BYTES + 1)));
      expect([sender.readyCount, sender.hasRoomFor(messageOf(Buffer.alloc(LARGE_BYTES)))]).toEqual([1, false]);
      sender.writeNext(Buffer.alloc(RECORD_BYTES), 0, RECORD_BYTES);
      expect(sender.written).toMatchObject({ stream: dropped, more: false });
      sender.writeNext(Buffer.alloc(RECORD_BYTES), 0, RECORD_BYTES);
      expect(sender.written).toMatchObject({ stream: next, more: true });
    },
  );
});
