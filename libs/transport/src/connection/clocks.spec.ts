import { describe, expect, it } from 'vitest';

import { resolveLimits } from '../limits.js';
import { Clocks } from './clocks.js';
import { Heartbeat } from './heartbeat.js';

class NoRandomness extends Heartbeat {
  override beginPing(): Buffer {
    throw new Error('no randomness');
  }
}

describe('the clocks of a connection', () => {
  it('end it, and throw into no timer, where there is no randomness for a PING', () => {
    const failures: unknown[] = [];
    const clocks = new Clocks(resolveLimits({}), new NoRandomness(), {
      sendPing: () => expect.unreachable('a PING was sent'),
      retire: () => undefined,
      drainExpired: () => undefined,
      closeExpired: () => undefined,
      failed: (error) => failures.push(error),
      stalestProgressMs: () => undefined,
    });
    clocks.ping();
    clocks.stop();
    expect(failures).toEqual([expect.objectContaining({ code: 'ERR_INTERNAL' })]);
  });
});
