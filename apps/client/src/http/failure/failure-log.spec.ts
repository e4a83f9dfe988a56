import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FailureLog } from './failure-log.js';

describe('FailureLog', () => {
  const written: unknown[] = [];

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
    for (const level of ['warn', 'error'] as const) {
      vi.spyOn(Logger.prototype, level).mockImplementation((message: unknown) => void written.push(message));
    }
  });

  afterEach(() => {
    written.length = 0;
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it('writes the first entry of a code immediately, and the others of that second as one count', () => {
    const log = new FailureLog();
    for (let calls = 1; calls <= 1_000; calls++) log.warn('ERR_BUSY', `call ${calls}`);
    expect(written).toEqual(['call 1']);
    vi.advanceTimersByTime(1_000);
    log.warn('ERR_BUSY', 'call 1001');
    expect(written).toEqual(['call 1', 'call 1001 (and 999 more since the last entry of this code)']);
  });

  it('limits each code separately, errors included', () => {
    const log = new FailureLog();
    for (let calls = 0; calls < 2; calls++) {
      log.warn('ERR_BUSY', 'busy');
      log.error('ERR_UNEXPECTED', 'internal', 'stack');
    }
    expect(written).toEqual(['busy', 'internal']);
  });
});
