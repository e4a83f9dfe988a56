import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { MessageAssembler } from './assembler.js';
import { decodeFrames, encodeFrames, MAX_FRAGMENT_BYTES } from './frame.js';
import type { Frame } from './frame.js';
import { FrameSender, SendingStream } from './sender.js';

const ROOM = 65_502;
const LARGE = 8 * 1_048_576;

function all(sender: FrameSender): Frame[] {
  const frames: Frame[] = [];
  for (let frame = sender.next(ROOM); frame !== undefined; frame = sender.next(ROOM)) frames.push(frame);
  return frames;
}

describe('FrameSender', () => {
  it('sends a small message beside a large one in the next frame but one at the latest', () => {
    const sender = new FrameSender(2 * LARGE);
    sender.sendMessage(new SendingStream(1), 'REQUEST', Buffer.alloc(LARGE));
    sender.next(ROOM);
    sender.sendMessage(new SendingStream(2), 'REQUEST', Buffer.of(1));
    expect([sender.next(ROOM)?.stream, sender.next(ROOM)?.stream]).toContain(2);
  });

  it('begins messages of several frames only as far as the peer has room, first come, first served', () => {
    const sender = new FrameSender(100_000);
    const streams = [1, 2, 3].map((id) => new SendingStream(id));
    for (const stream of streams) sender.sendMessage(stream, 'NEXT', Buffer.alloc(60_000));
    expect(sender.readyCount).toBe(1);
    const order = all(sender).filter(({ more }) => !more);
    expect(order.map(({ stream }) => stream)).toEqual([1, 2, 3]);
  });

  it('lets a message begin alone that is larger than the room', () => {
    const sender = new FrameSender(65_536);
    sender.sendMessage(new SendingStream(1), 'NEXT', Buffer.alloc(200_000));
    expect(all(sender).at(-1)).toMatchObject({ stream: 1, more: false });
  });

  it('gives room back when a message under way is dropped', () => {
    const sender = new FrameSender(65_536);
    const [first, second] = [new SendingStream(1), new SendingStream(2)];
    sender.sendMessage(first, 'NEXT', Buffer.alloc(60_000));
    sender.sendMessage(second, 'NEXT', Buffer.alloc(60_000));
    sender.next(ROOM);
    sender.drop(first);
    expect(all(sender).every(({ stream }) => stream === 2)).toBe(true);
    expect(sender.queuedBytes).toBe(0);
  });

  it('marks the last value that waits as the last one, and none that has gone', () => {
    const sender = new FrameSender(65_536);
    const stream = new SendingStream(1);
    sender.sendMessage(stream, 'NEXT', Buffer.of(1));
    expect(sender.markLast(stream)).toBe(true);
    expect(sender.next(ROOM)).toMatchObject({ last: true });
    expect(sender.markLast(stream)).toBe(false);
  });

  it('gives nothing that does not fit', () => {
    const sender = new FrameSender(65_536);
    sender.sendMessage(new SendingStream(1), 'NEXT', Buffer.alloc(100));
    expect(sender.next(107)).toBeUndefined();
    expect(sender.next(108)).toBeDefined();
  });

  it('and the assembler together keep every message and the order of each stream', () => {
    const message = fc.record({
      stream: fc.integer({ min: 1, max: 5 }),
      bytes: fc.integer({ min: 1, max: 3 * MAX_FRAGMENT_BYTES }),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
        const sender = new FrameSender(65_536);
        const assembler = new MessageAssembler({ maxMessageBytes: 65_536, maxIncompleteBytes: 65_536 });
        const streams = new Map<number, SendingStream>();
        for (const [index, { stream, bytes }] of messages.entries()) {
          const sending = streams.get(stream) ?? new SendingStream(stream);
          streams.set(stream, sending);
          sender.sendMessage(sending, 'NEXT', Buffer.alloc(bytes, index));
        }
        const received = new Map<number, Buffer[]>();
        for (const frame of decodeFrames(encodeFrames(all(sender)))) {
          const whole = assembler.push(frame, 0);
          if (whole !== undefined) received.set(frame.stream, [...(received.get(frame.stream) ?? []), whole]);
        }
        for (const id of streams.keys()) {
          const sent = messages.flatMap(({ stream, bytes }, index) =>
            stream === id ? [Buffer.alloc(bytes, index)] : [],
          );
          expect(Buffer.concat(received.get(id) ?? []).equals(Buffer.concat(sent))).toBe(true);
        }
        expect(sender.queuedBytes).toBe(0);
        expect(assembler.hasIncomplete).toBe(false);
      }),
      { numRuns: 50 },
    );
  });
});

describe('MessageAssembler', () => {
  const limits = { maxMessageBytes: 100_000, maxIncompleteBytes: 65_536 };
  const fragment = (stream: number, bytes: number, more = true, kind: Frame['kind'] = 'REQUEST'): Frame => ({
    kind,
    more,
    last: false,
    stream,
    payload: Buffer.alloc(bytes, stream),
  });

  it('puts a message together from fragments of one byte', () => {
    const assembler = new MessageAssembler(limits);
    for (let i = 0; i < 50_000; i++) expect(assembler.push(fragment(1, 1), i)).toBeUndefined();
    expect(assembler.stalestProgressMs).toBe(49_999);
    expect(assembler.push(fragment(1, 1, false), 0)).toEqual(Buffer.alloc(50_001, 1));
  });

  it('ends a message beyond the limit, in one frame or in many', () => {
    const tooLarge = expect.objectContaining({ code: 'ERR_MESSAGE_TOO_LARGE' });
    const assembler = new MessageAssembler(limits);
    assembler.push(fragment(1, 60_000), 0);
    expect(() => assembler.push(fragment(1, 60_000, false), 0)).toThrow(tooLarge);
    expect(() => new MessageAssembler({ ...limits, maxMessageBytes: 10 }).push(fragment(1, 11, false), 0)).toThrow(
      tooLarge,
    );
  });

  it('ends a peer that has more under way than was announced', () => {
    const assembler = new MessageAssembler(limits);
    assembler.push(fragment(1, 40_000), 0);
    expect(() => assembler.push(fragment(2, 40_000), 0)).toThrow(
      expect.objectContaining({ code: 'ERR_INCOMPLETE_LIMIT' }),
    );
  });

  it('refuses a fragment of another kind than its message', () => {
    const assembler = new MessageAssembler(limits);
    assembler.push(fragment(1, 10), 0);
    expect(() => assembler.push(fragment(1, 10, false, 'EVENT'), 0)).toThrow(
      expect.objectContaining({ code: 'ERR_FRAME_UNEXPECTED' }),
    );
  });
});
