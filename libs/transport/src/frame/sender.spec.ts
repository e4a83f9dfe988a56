import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import {
  asReceived,
  decodeFrames,
  drainFrames,
  encodeFrames,
  messageOf,
  nextFrame,
  plainFrame,
} from '../../../../test/support/frames.js';
import type { PlainFrame } from '../../../../test/support/frames.js';
import { MessageAssembler } from './assembler.js';
import type { Frame } from './frame.js';
import { FrameSender } from './sender.js';
import { SendingStream } from './sending-stream.js';

const LARGE = 8 * 1_048_576;
const message = (bytes: number, fill = 1) => messageOf(Buffer.alloc(bytes, fill));

/** As the streams of a connection write. */
const writerOf = (sender: FrameSender<SendingStream>) => ({ writeFrame: sender.writeNext.bind(sender) });
const next = (sender: FrameSender<SendingStream>, roomBytes?: number): PlainFrame | undefined =>
  nextFrame(writerOf(sender), roomBytes);
const all = (sender: FrameSender<SendingStream>): PlainFrame[] => drainFrames(writerOf(sender));

describe('FrameSender', () => {
  it('sends a small message beside a large one in the next frame but one at the latest', () => {
    const sender = new FrameSender<SendingStream>(2 * LARGE);
    sender.sendMessage(new SendingStream(1), 'REQUEST', message(LARGE));
    next(sender);
    sender.sendMessage(new SendingStream(2), 'REQUEST', message(1));
    expect([next(sender)?.stream, next(sender)?.stream]).toContain(2);
  });

  it('begins messages of several frames only as far as the peer has room, first come, first served', () => {
    const sender = new FrameSender<SendingStream>(150_000);
    const streams = [1, 2, 3].map((id) => new SendingStream(id));
    for (const stream of streams) sender.sendMessage(stream, 'NEXT', message(100_000));
    expect(sender.readyCount).toBe(1);
    const order = all(sender).filter(({ more }) => !more);
    expect(order.map(({ stream }) => stream)).toEqual([1, 2, 3]);
  });

  it('lets a message begin alone that is larger than the room', () => {
    const sender = new FrameSender<SendingStream>(65_536);
    sender.sendMessage(new SendingStream(1), 'NEXT', message(200_000));
    expect(all(sender).at(-1)).toMatchObject({ stream: 1, more: false });
  });

  it('gives room back when a message under way is dropped', () => {
    const sender = new FrameSender<SendingStream>(65_536);
    const [first, second] = [new SendingStream(1), new SendingStream(2)];
    sender.sendMessage(first, 'NEXT', message(100_000));
    sender.sendMessage(second, 'NEXT', message(100_000));
    next(sender);
    sender.drop(first);
    expect(all(sender).every(({ stream }) => stream === 2)).toBe(true);
    expect(sender.queuedBytes).toBe(0);
  });

  it('marks the last value that waits as the last one, and none that has gone', () => {
    const sender = new FrameSender<SendingStream>(65_536);
    const stream = new SendingStream(1);
    sender.sendMessage(stream, 'NEXT', message(1));
    expect(sender.markLast(stream)).toBe(true);
    expect(next(sender)).toMatchObject({ last: true });
    expect(sender.markLast(stream)).toBe(false);
  });

  it('gives nothing that does not fit', () => {
    const sender = new FrameSender<SendingStream>(65_536);
    sender.sendMessage(new SendingStream(1), 'NEXT', message(100));
    expect(next(sender, 107)).toBeUndefined();
    expect(next(sender, 108)).toBeDefined();
  });

  it('and the assembler together keep every message and the order of each stream', () => {
    const anyMessage = fc.record({
      stream: fc.integer({ min: 1, max: 5 }),
      bytes: fc.oneof(fc.integer({ min: 1, max: 65_600 }), fc.integer({ min: 65_490, max: 200_000 })),
    });
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 20 }), (messages) => {
        const sender = new FrameSender<SendingStream>(200_000);
        const assembler = new MessageAssembler({ maxMessageBytes: 200_000, maxIncompleteBytes: 200_000 });
        const streams = new Map<number, SendingStream>();
        for (const [index, { stream, bytes }] of messages.entries()) {
          const sending = streams.get(stream) ?? new SendingStream(stream);
          streams.set(stream, sending);
          sender.sendMessage(sending, 'NEXT', message(bytes, index));
        }
        const received = new Map<number, Buffer[]>();
        for (const frame of decodeFrames(encodeFrames(all(sender)))) {
          const whole = assembler.push(asReceived(frame), 0);
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
  const limits = { maxMessageBytes: 200_000, maxIncompleteBytes: 150_000 };
  const code = (name: string): Error => expect.objectContaining({ code: name }) as Error;
  const first = (stream: number, total: number, bytes = 1, kind: Frame['kind'] = 'REQUEST'): Frame =>
    asReceived(plainFrame(kind, stream, { more: true, total, payload: Buffer.alloc(bytes, stream) }));
  const fragment = (stream: number, bytes: number, more = true, kind: Frame['kind'] = 'REQUEST'): Frame =>
    asReceived(plainFrame(kind, stream, { more, payload: Buffer.alloc(bytes, stream) }));

  it('puts a message together from fragments of one byte', () => {
    const assembler = new MessageAssembler(limits);
    expect(assembler.push(first(1, 65_495), 0)).toBeUndefined();
    for (let i = 1; i < 65_494; i++) expect(assembler.push(fragment(1, 1), i)).toBeUndefined();
    expect(assembler.stalestProgressMs).toBe(65_493);
    const whole = assembler.push(fragment(1, 1, false), 0);
    expect(whole?.equals(Buffer.alloc(65_495, 1))).toBe(true);
    expect(whole?.buffer.byteLength).toBe(65_495);
  });

  it('refuses a message beyond the limit at its first fragment [R6.11]', () => {
    const assembler = new MessageAssembler(limits);
    expect(assembler.push(first(1, 200_000), 0)).toBeUndefined();
    assembler.drop(1);
    expect(() => assembler.push(first(1, 200_001), 0)).toThrow(code('ERR_MESSAGE_TOO_LARGE'));
  });

  it('refuses announcements that exceed the limit together, by a byte, and takes any message alone [R6.19]', () => {
    const assembler = new MessageAssembler(limits);
    assembler.push(first(1, 80_000), 0);
    assembler.push(first(2, 70_000), 0);
    assembler.drop(2);
    expect(() => assembler.push(first(2, 70_001), 0)).toThrow(code('ERR_INCOMPLETE_LIMIT'));
    expect(new MessageAssembler(limits).push(first(1, 200_000), 0)).toBeUndefined();
  });

  it.each([
    ['a first fragment while a message is incomplete [R6.26]', first(1, 70_000)],
    ['a fragment of another kind [R6.9]', fragment(1, 1, true, 'EVENT')],
    ['a first fragment of another kind [R6.9]', first(1, 70_000, 1, 'EVENT')],
    ['more bytes than were announced [R6.28]', fragment(1, 70_000, false)],
    ['more bytes than were announced, and more to come [R6.28]', fragment(1, 70_000)],
    ['all bytes that were announced, and more to come [R6.28]', fragment(1, 69_999)],
    ['an end before all that was announced has come [R6.28]', fragment(1, 69_998, false)],
  ])('refuses %s', (_what, frame) => {
    const assembler = new MessageAssembler(limits);
    assembler.push(first(1, 70_000), 0);
    expect(() => assembler.push(frame, 0)).toThrow(code('ERR_FRAME_UNEXPECTED'));
  });

  it('refuses MORE without a first fragment [R6.27]', () => {
    expect(() => new MessageAssembler(limits).push(fragment(1, 1), 0)).toThrow(code('ERR_FRAME_UNEXPECTED'));
  });

  it('takes memory for what has come, and not for what was announced [R6.29]', () => {
    const many = { maxMessageBytes: 8_388_608, maxIncompleteBytes: 2 ** 40 };
    const assembler = new MessageAssembler(many);
    const allocated = vi.spyOn(Buffer, 'allocUnsafeSlow');
    onTestFinished(() => allocated.mockRestore());
    for (let stream = 1; stream <= 1_024; stream++) assembler.push(first(stream, 8_388_608), 0);
    const sizes = allocated.mock.calls.map(([size]) => size);
    expect(sizes).toHaveLength(1_024);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2 + 65_536);
  });
});
