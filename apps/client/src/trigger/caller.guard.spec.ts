import crypto, { randomBytes } from 'node:crypto';
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

const callingWith = (headers: object): ExecutionContext =>
  ({ switchToHttp: () => ({ getRequest: () => ({ headers }) }) }) as unknown as ExecutionContext;

const calling = (authorization?: string): ExecutionContext => callingWith({ authorization });

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
  ])('is compared in constant time, in a form that hides its length: %s', (authorization) => {
    const compared = observeComparisons();
    expect(() => guard.canActivate(calling(authorization))).toThrow(
      expect.objectContaining({ code: 'ERR_UNAUTHORIZED' }) as Error,
    );
    expect(compared).toEqual([[32, 32]]);
  });

  it('is refused if any byte differs, or if it is only a prefix', () => {
    const token = randomBytes(60).toString('base64url');
    const whole = new CallerGuard(parseSettings({ HTTP_TOKEN: token }));
    const cut = Array.from(token, (_, length) => token.slice(0, length));
    const altered = Array.from(token, (character, at) => {
      const other = character === 'x' ? 'y' : 'x';
      return token.slice(0, at) + other + token.slice(at + 1);
    });
    for (const wrong of [...cut, ...altered, `${token}x`]) {
      expect(() => whole.canActivate(calling(`Bearer ${wrong}`)), wrong).toThrow('HTTP_TOKEN');
    }
    expect(whole.canActivate(calling(`Bearer ${token}`))).toBe(true);
  });

  it('is accepted if it is valid', () => {
    expect(guard.canActivate(calling('Bearer secret'))).toBe(true);
  });
});

describe('a caller', () => {
  const guard = new CallerGuard(parseSettings({ HTTP_ALLOWED_HOSTS: 'localhost,https://page.example' }));

  it.each([{}, { 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }])(
    'is accepted from a page of this app or without a browser: %o',
    (headers) => expect(guard.canActivate(callingWith(headers))).toBe(true),
  );

  it.each(['same-site', 'cross-site', 'something new'])('is refused from a page of another origin: %s', (site) => {
    for (const origin of [undefined, 'http://localhost']) {
      expect(() => guard.canActivate(callingWith({ origin, 'sec-fetch-site': site }))).toThrow(
        expect.objectContaining({ code: 'ERR_ORIGIN_NOT_ALLOWED' }) as Error,
      );
    }
  });

  it('is accepted from a listed origin', () => {
    const headers = { origin: 'https://page.example', 'sec-fetch-site': 'cross-site' };
    expect(guard.canActivate(callingWith(headers))).toBe(true);
  });
});
