import { runInNewContext } from 'node:vm';

import { describe, expect, it } from 'vitest';

import { errnoOf } from './system-error.js';

describe('errnoOf', () => {
  it('names the failure of an error of another realm, as those of Node are under Jest', () => {
    expect(errnoOf(runInNewContext(`Object.assign(new Error('x'), { code: 'EACCES' })`))).toBe('EACCES');
  });

  it('names none of what has no code that is a string', () => {
    for (const thrown of [new Error('x'), { code: 7 }, null, undefined, 'EACCES']) {
      expect(errnoOf(thrown)).toBe('unknown reason');
    }
  });
});
