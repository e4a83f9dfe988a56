import { beforeEach, describe, expect, it } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
import { EventWindows } from './event-windows.js';

const MINUTE_MS = 60_000;
/** Instance keys. */
const keyOf = (number: number): string => {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32BE(number);
  return bytes.toString('latin1');
};

let time: FakeClock;

beforeEach(() => {
  time = FakeClock.install();
});

describe('the event windows of a server', () => {
  it('keep the window of a client for 10 minutes after its last connection, and no longer [R6.37]', () => {
    const windows = new EventWindows(4);
    const window = windows.of(keyOf(1));
    windows.release(keyOf(1));
    time.advance(10 * MINUTE_MS - 1);
    expect(windows.of(keyOf(1))).toBe(window);
    windows.release(keyOf(1));
    time.advance(10 * MINUTE_MS);
    expect(windows.of(keyOf(1))).not.toBe(window);
  });

  it('keep the window of a connected client, for however long and whatever other clients connect [R6.37]', () => {
    const windows = new EventWindows(4);
    const window = windows.of(keyOf(1));
    time.advance(60 * MINUTE_MS);
    windows.of(keyOf(2));
    windows.release(keyOf(1));
    expect(windows.of(keyOf(1))).toBe(window);
  });

  it('give all connections of one client the same window, and count it as used until the last one closes [R6.36]', () => {
    const windows = new EventWindows(4);
    const window = windows.of(keyOf(1));
    expect(windows.of(keyOf(1))).toBe(window);
    windows.release(keyOf(1));
    time.advance(60 * MINUTE_MS);
    windows.of(keyOf(2));
    expect(windows.of(keyOf(1))).toBe(window);
  });

  it('belong to all 32 bytes of an instance key [R4.30]', () => {
    const windows = new EventWindows(1);
    const all = [0, 1, 15, 16, 31].map((at) =>
      windows.of(
        Buffer.alloc(32)
          .fill(0x80, at, at + 1)
          .toString('latin1'),
      ),
    );
    expect(new Set(all).size).toBe(all.length);
  });

  it('drop the client that disconnected first once there are 10,000 of them [R6.37]', () => {
    const windows = new EventWindows(1);
    const all = Array.from({ length: 10_000 }, (_, number) => windows.of(keyOf(number)));
    for (let number = 0; number < all.length; number++) windows.release(keyOf(number));
    windows.of(keyOf(20_000));
    expect(windows.of(keyOf(1))).toBe(all[1]);
    expect(windows.of(keyOf(0))).not.toBe(all[0]);
  });
});
