import { describe, expect, it, vi } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
import { resolveLimits } from '../options/limits.js';
import { Clocks } from './clocks.js';
import type { ClockOwner } from './clocks.js';
import { Heartbeat } from './heartbeat.js';

class NoRandomness extends Heartbeat {
  override beginPing(): Buffer {
    throw new Error('no randomness');
  }
}

const OWNER: ClockOwner = {
  send: ({ type }) => expect.unreachable(`${type} was sent`),
  flush: () => undefined,
  hibernate: () => undefined,
  age: () => undefined,
  expireDrain: () => undefined,
  destroy: () => undefined,
  stalestProgressMs: undefined,
  creditOwedSinceMs: undefined,
};

const SOFT_AGE_MS = 3_600_000;
const CODEC = { keyLeftMs: () => 3_600_000, isShortOfUpdates: () => false, hibernate: () => undefined };

describe('the clocks of a connection', () => {
  it('close it without an exception in a timer if there is no randomness for a PING', () => {
    const failures: unknown[] = [];
    const destroy = (error: unknown): void => void failures.push(error);
    const clocks = new Clocks(resolveLimits({}), new NoRandomness(), CODEC, SOFT_AGE_MS, { ...OWNER, destroy });
    clocks.ping();
    clocks.stop();
    expect(failures).toEqual([expect.objectContaining({ code: 'ERR_INTERNAL' })]);
  });

  it('release its ciphers once, a second after a record, and not again before the next record', () => {
    const time = FakeClock.install();
    const rest = vi.fn<() => void>();
    const clocks = new Clocks(resolveLimits({}), new Heartbeat(), { ...CODEC, hibernate: rest }, SOFT_AGE_MS, OWNER);
    clocks.recordCompleted();
    clocks.recordCompleted();
    time.advance(999);
    expect(rest).not.toHaveBeenCalled();
    time.advance(10_000);
    expect(rest).toHaveBeenCalledTimes(1);
    clocks.recordCompleted();
    time.advance(1_000);
    expect(rest).toHaveBeenCalledTimes(2);
    clocks.stop();
  });
});
