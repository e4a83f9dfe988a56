import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

import type { ExecutionContext } from '@nestjs/common';
import { afterEach, describe, expect, it } from 'vitest';

import { parseSettings } from '../config/settings.js';
import { CallerGuard } from './caller.guard.js';

const { timingSafeEqual } = crypto;

afterEach(() => {
  crypto.timingSafeEqual = timingSafeEqual;
  syncBuiltinESMExports();
});

/** The lengths of what is compared in constant time, pair by pair. */
function observeComparisons(): number[][] {
  const compared: number[][] = [];
  crypto.timingSafeEqual = (one, other) => {
    compared.push([one.byteLength, other.byteLength]);
    return timingSafeEqual(one, other);
  };
  syncBuiltinESMExports();
  return compared;
}

const calling = (authorization?: string): ExecutionContext =>
  ({ switchToHttp: () => ({ getRequest: () => ({ headers: { authorization } }) }) }) as unknown as ExecutionContext;

describe('a token', () => {
  const guard = new CallerGuard(parseSettings({ HTTP_TOKEN: 'secret' }));

  it.each([
    undefined,
    '',
    'Basic c2VjcmV0',
    'Bearer s',
    'Bearer secreT',
    'Bearer secretsecret',
    `Bearer ${'x'.repeat(5_000)}`,
  ])('is compared in constant time, and in a form that hides its length: %s', (authorization) => {
    const compared = observeComparisons();
    expect(() => guard.canActivate(calling(authorization))).toThrow(
      expect.objectContaining({ code: 'ERR_UNAUTHORIZED' }) as Error,
    );
    expect(compared).toEqual([[32, 32]]);
  });

  it('lets in who has it', () => {
    expect(guard.canActivate(calling('Bearer secret'))).toBe(true);
  });
});
