import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { asReceived, plainFrame } from '../../../../test/support/frames.js';
import type { Frame } from '../frame/frame.js';
import { MessageAssembler, NO_MEMORY } from './assembler.js';
import { IncompleteMemory } from './incomplete-memory.js';

describe('MessageAssembler', () => {
  const limits = { maxMessageBytes: 200_000, maxIncompleteBytes: 150_000, maxIncompleteBytesTotal: Infinity };
  const code = (name: string): Error => expect.objectContaining({ code: name }) as Error;
  const first = (stream: number, total: number, bytes = 1, kind: Frame['kind'] = 'REQUEST'): Frame =>
    asReceived(plainFrame(kind, stream, { more: true, total, payload: Buffer.alloc(bytes, stream) }));
  const fragment = (stream: number, bytes: number, more = true, kind: Frame['kind'] = 'REQUEST'): Frame =>
    asReceived(plainFrame(kind, stream, { more, payload: Buffer.alloc(bytes, stream) }));

  it('assembles a message from fragments of one byte', () => {
    const assembler = new MessageAssembler(limits, new IncompleteMemory());
    expect(assembler.push(first(1, 65_495), 0)).toBeUndefined();
    for (let i = 1; i < 65_494; i++) expect(assembler.push(fragment(1, 1), i)).toBeUndefined();
    expect(assembler.stalestProgressMs).toBe(65_493);
    const whole = assembler.push(fragment(1, 1, false), 0);
    expect(whole).toEqual(Buffer.alloc(65_495, 1));
    expect(whole instanceof Buffer && whole.buffer.byteLength).toBe(65_495);
  });

  it('refuses a message beyond the limit at its first fragment [R6.11]', () => {
    const assembler = new MessageAssembler(limits, new IncompleteMemory());
    expect(assembler.push(first(1, 200_000), 0)).toBeUndefined();
    assembler.drop(1);
    expect(() => assembler.push(first(1, 200_001), 0)).toThrow(code('ERR_MESSAGE_TOO_LARGE'));
  });

  it('refuses announcements whose sum exceeds the limit by a byte, and accepts any single message [R6.19]', () => {
    const assembler = new MessageAssembler(limits, new IncompleteMemory());
    assembler.push(first(1, 80_000), 0);
    assembler.push(first(2, 70_000), 0);
    assembler.drop(2);
    expect(() => assembler.push(first(2, 70_001), 0)).toThrow(code('ERR_INCOMPLETE_LIMIT'));
    expect(new MessageAssembler(limits, new IncompleteMemory()).push(first(1, 200_000), 0)).toBeUndefined();
  });

  it.each([
    ['a first fragment while a message is incomplete [R6.26]', first(1, 70_000)],
    ['a fragment of another kind [R6.9]', fragment(1, 1, true, 'EVENT')],
    ['a first fragment of another kind [R6.9]', first(1, 70_000, 1, 'EVENT')],
    ['more bytes than announced [R6.28]', fragment(1, 70_000, false)],
    ['more bytes than announced, with MORE [R6.28]', fragment(1, 70_000)],
    ['all announced bytes, with MORE [R6.28]', fragment(1, 69_999)],
    ['an end before all announced bytes [R6.28]', fragment(1, 69_998, false)],
  ])('refuses %s', (_what, frame) => {
    const assembler = new MessageAssembler(limits, new IncompleteMemory());
    assembler.push(first(1, 70_000), 0);
    expect(() => assembler.push(frame, 0)).toThrow(code('ERR_FRAME_UNEXPECTED'));
  });

  it('refuses MORE without a first fragment [R6.27]', () => {
    expect(() => new MessageAssembler(limits, new IncompleteMemory()).push(fragment(1, 1), 0)).toThrow(
      code('ERR_FRAME_UNEXPECTED'),
    );
  });

  it('allocates memory for received bytes, not for announced ones [R6.29]', () => {
    const many = { maxMessageBytes: 8_388_608, maxIncompleteBytes: 2 ** 40, maxIncompleteBytesTotal: Infinity };
    const assembler = new MessageAssembler(many, new IncompleteMemory());
    const allocated = vi.spyOn(Buffer, 'allocUnsafeSlow');
    onTestFinished(() => allocated.mockRestore());
    for (let stream = 1; stream <= 1_024; stream++) assembler.push(first(stream, 8_388_608), 0);
    const sizes = allocated.mock.calls.map(([size]) => size);
    expect(sizes).toHaveLength(1_024);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2 + 65_536);
  });
});

describe('the memory of incomplete messages', () => {
  const limits = { maxMessageBytes: 8_388_608, maxIncompleteBytes: 2 ** 40, maxIncompleteBytesTotal: 1_000_000 };
  const frame = (stream: number, bytes: number, fields = {}): Frame =>
    asReceived(plainFrame('EVENT', stream, { more: true, payload: Buffer.alloc(bytes, stream), ...fields }));

  it('is bounded over all connections: a message beyond the bound is refused once, and then only checked [R6.30]', () => {
    const memory = new IncompleteMemory();
    const [one, other] = [new MessageAssembler(limits, memory), new MessageAssembler(limits, memory)];
    one.push(frame(1, 450_000, { total: 900_000 }), 0);
    expect(memory.bytes).toBe(900_000);
    expect(other.push(frame(1, 60_000, { total: 200_000 }), 0)).toBe(NO_MEMORY);
    expect(other.push(frame(1, 60_000), 0)).toBeUndefined();
    expect(other.begunWith(1)).toEqual(Buffer.alloc(8, 1));
    expect(other.push(frame(1, 80_000, { more: false }), 0)).toBeUndefined();
    expect([other.hasIncomplete, memory.bytes]).toEqual([false, 900_000]);
  });

  it('is released with the message, its stream or its discarded bytes [R6.30]', () => {
    const memory = new IncompleteMemory();
    const assembler = new MessageAssembler(limits, memory);
    for (const stream of [1, 2, 3]) assembler.push(frame(stream, 1, { total: 70_000 }), 0);
    expect(memory.bytes).toBe(3 * (2 + 65_536));
    assembler.push(frame(1, 69_999, { more: false }), 0);
    assembler.drop(2);
    assembler.discard(3);
    assembler.drop(3);
    expect(memory.bytes).toBe(0);
  });

  it('refuses a message that has no memory for its last fragment, and still returns its first bytes', () => {
    const memory = new IncompleteMemory();
    const assembler = new MessageAssembler(limits, memory);
    assembler.push(frame(1, 1, { total: 70_000, payload: Buffer.of(7) }), 0);
    memory.take(limits.maxIncompleteBytesTotal - memory.bytes, Infinity);
    expect(assembler.push(frame(1, 69_999, { more: false }), 0)).toBe(NO_MEMORY);
    expect(assembler.begunWith(1)).toEqual(Buffer.of(7, 1, 1, 1, 1, 1, 1, 1));
  });

  it.each([
    [
      'a total beyond what may be incomplete',
      'ERR_INCOMPLETE_LIMIT',
      (assembler: MessageAssembler) => assembler.push(frame(2, 1, { total: 70_001 }), 0),
    ],
    [
      'more bytes than announced',
      'ERR_FRAME_UNEXPECTED',
      (assembler: MessageAssembler) => assembler.push(frame(1, 70_000), 0),
    ],
    [
      'a repeated first fragment',
      'ERR_FRAME_UNEXPECTED',
      (assembler: MessageAssembler) => assembler.push(frame(1, 1, { total: 70_000 }), 0),
    ],
  ])(
    'does not change which violations are refused next to or in a discarded message: %s [R6.30]',
    (_what, code, violate) => {
      const few = { ...limits, maxIncompleteBytes: 140_000 };
      const assembler = new MessageAssembler(few, new IncompleteMemory());
      assembler.push(frame(1, 1, { total: 70_000 }), 0);
      assembler.discard(1);
      expect(() => violate(assembler)).toThrow(expect.objectContaining({ code }) as Error);
    },
  );
});
