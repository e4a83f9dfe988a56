import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  asReceived,
  decodeFrames,
  drainFrames,
  encodeFrames,
  messageOf,
  nextFrame,
} from '../../../../test/support/frames.js';
import type { PlainFrame } from '../../../../test/support/frames.js';
import { MessageAssembler } from '../streams/assembler.js';
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
  it('sends a small message in the next frame or the one after it while a large one is in progress', () => {
    const sender = new FrameSender<SendingStream>(2 * LARGE);
    sender.sendMessage(new SendingStream(1), 'REQUEST', message(LARGE));
    next(sender);
    sender.sendMessage(new SendingStream(2), 'REQUEST', message(1));
    expect([next(sender)?.stream, next(sender)?.stream]).toContain(2);
  });

  it('begins messages of several frames only within the room of the peer, in order of arrival', () => {
    const sender = new FrameSender<SendingStream>(150_000);
    const streams = [1, 2, 3].map((id) => new SendingStream(id));
    for (const stream of streams) sender.sendMessage(stream, 'NEXT', message(100_000));
    expect(sender.readyCount).toBe(1);
    const order = all(sender).filter(({ more }) => !more);
    expect(order.map(({ stream }) => stream)).toEqual([1, 2, 3]);
  });

  it('begins a message that is larger than the room if it is alone', () => {
    const sender = new FrameSender<SendingStream>(65_536);
    sender.sendMessage(new SendingStream(1), 'NEXT', message(200_000));
    expect(all(sender).at(-1)).toMatchObject({ stream: 1, more: false });
  });

  it('frees the room of a message that is dropped in progress', () => {
    const sender = new FrameSender<SendingStream>(65_536);
    const [first, second] = [new SendingStream(1), new SendingStream(2)];
    sender.sendMessage(first, 'NEXT', message(100_000));
    sender.sendMessage(second, 'NEXT', message(100_000));
    next(sender);
    sender.drop(first);
    expect(all(sender).every(({ stream }) => stream === 2)).toBe(true);
    expect(sender.queuedBytes).toBe(0);
  });

  it('marks the last waiting value as the last one, and no value that was already sealed', () => {
    const sender = new FrameSender<SendingStream>(65_536);
    const stream = new SendingStream(1);
    sender.sendMessage(stream, 'NEXT', message(1));
    expect(sender.markLast(stream)).toBe(true);
    expect(next(sender)).toMatchObject({ last: true });
    expect(sender.markLast(stream)).toBe(false);
  });

  it('returns no frame that does not fit', () => {
    const sender = new FrameSender<SendingStream>(65_536);
    sender.sendMessage(new SendingStream(1), 'NEXT', message(100));
    expect(next(sender, 107)).toBeUndefined();
    expect(next(sender, 108)).toBeDefined();
  });

  it('keeps every message and the order of each stream together with the assembler', () => {
    const anyMessage = fc.record({
      stream: fc.integer({ min: 1, max: 5 }),
      bytes: fc.oneof(fc.integer({ min: 1, max: 65_600 }), fc.integer({ min: 65_490, max: 200_000 })),
    });
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 20 }), (messages) => {
        const sender = new FrameSender<SendingStream>(200_000);
        const assembler = new MessageAssembler({
          maxMessageBytes: 200_000,
          maxIncompleteBytes: 200_000,
          maxIncompleteBytesTotal: Infinity,
        });
        const streams = new Map<number, SendingStream>();
        for (const [index, { stream, bytes }] of messages.entries()) {
          const sending = streams.get(stream) ?? new SendingStream(stream);
          streams.set(stream, sending);
          sender.sendMessage(sending, 'NEXT', message(bytes, index));
        }
        const received = new Map<number, Buffer[]>();
        for (const frame of decodeFrames(encodeFrames(all(sender)))) {
          const whole = assembler.push(asReceived(frame), 0);
          if (whole instanceof Buffer) received.set(frame.stream, [...(received.get(frame.stream) ?? []), whole]);
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
