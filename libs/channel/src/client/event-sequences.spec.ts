import { beforeEach, describe, expect, it } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
import { messageOf } from '../../../../test/support/frames.js';
import { EventSequences } from './event-sequences.js';

const HOUR_MS = 3_600_000;
const event = { sequence: undefined, message: messageOf(Buffer.of(2)) };
const server = (number: number): string => {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(number);
  return bytes.toString('latin1');
};

let time: FakeClock;

beforeEach(() => {
  time = FakeClock.install();
});

describe('the event sequences of a client', () => {
  it('are one for each server object, and each begins at 0 [R6.21]', () => {
    const sequences = new EventSequences();
    const [one, other] = [sequences.of(server(1)), sequences.of(server(2))];
    expect([one, one, other].map((sequence) => sequence.begin(event, () => undefined))).toEqual([0, 1, 0]);
  });

  it('continue over concurrent and consecutive connections [R6.21]', () => {
    const sequences = new EventSequences();
    const sequence = sequences.of(server(1));
    expect(sequences.of(server(1))).toBe(sequence);
    for (let i = 0; i < 2; i++) sequences.release(server(1));
    sequences.of(server(2));
    time.advance(24 * HOUR_MS);
    expect(sequences.of(server(1))).toBe(sequence);
  });

  it('are dropped when no server can have the window any longer: a session lives for a day, its window 10 minutes longer', () => {
    const sequences = new EventSequences();
    const sequence = sequences.of(server(1));
    sequences.release(server(1));
    time.advance(25 * HOUR_MS);
    expect(sequences.of(server(1))).not.toBe(sequence);
  });

  it('of departed servers are limited to 10,000', () => {
    const sequences = new EventSequences();
    const all = Array.from({ length: 10_000 }, (_, number) => sequences.of(server(number)));
    for (let number = 0; number < all.length; number++) sequences.release(server(number));
    sequences.of(server(20_000));
    expect(sequences.of(server(1))).toBe(all[1]);
    expect(sequences.of(server(0))).not.toBe(all[0]);
  });
});
