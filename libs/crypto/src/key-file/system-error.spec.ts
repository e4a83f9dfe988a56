import { runInNewContext } from 'node:vm';

import { describe, expect, it } from 'vitest';

import { errnoOf } from './system-error.js';

describe('errnoOf', () => {
  it('returns the code of an error of another realm, as in Jest', () => {
    expect(errnoOf(runInNewContext(`Object.assign(new Error('x'), { code: 'EACCES' })`))).toBe('EACCES');
  });

  it('returns undefined if the code is not a string', () => {
    for (const thrown of [new Error('x'), { code: 7 }, null, undefined, 'EACCES']) {
      expect(errnoOf(thrown)).toBe('unknown reason');
    }
  });
});
