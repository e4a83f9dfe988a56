import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { messageOf } from '../../../../../test/support/frames.js';
import { EventSequence } from './event-sequence.js';
import { EventWindow } from './event-window.js';

describe('EventWindow', () => {
  it('admits each sequence once, as a set would, for a client within the window', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 60 }), { maxLength: 200 }), (steps) => {
        const size = 16;
        const window = new EventWindow(size);
        const seen = new Set<number>();
        let highest = 0;
        for (const step of steps) {
          const sequence = Math.max(0, highest - size + 1 + (step % (size + 4)));
          expect(window.admit(sequence)).toBe(!seen.has(sequence));
          seen.add(sequence);
          highest = Math.max(highest, sequence);
        }
      }),
    );
  });

  it('counts earlier sequences as handed over', () => {
    const window = new EventWindow(4);
    expect(window.admit(10)).toBe(true);
    expect(window.admit(6)).toBe(false);
    expect(window.admit(7)).toBe(true);
  });
});

describe('EventSequence', () => {
  it('begins no event that is a window or more ahead of the oldest unacknowledged one', () => {
    const sequence = new EventSequence();
    const event = { sequence: undefined, message: messageOf(Buffer.of(2)) };
    const room = (): void => undefined;
    sequence.announce(4, Infinity);
    const begun = Array.from({ length: 4 }, () => sequence.begin(event, room));
    expect(begun).toEqual([0, 1, 2, 3]);
    expect(sequence.mayBegin(event, room)).toBe(false);
    sequence.settle(2);
    expect(sequence.mayBegin(event, room)).toBe(false);
    sequence.settle(0);
    expect(sequence.mayBegin(event, room)).toBe(true);
  });
});
