import { randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { ivPlain } from '../../../../test/support/plain-a128cbc-hs256.js';
import { IvSequence } from './iv-sequence.js';

const KEY = randomBytes(16);

const ivOf = (n: bigint): Buffer => ivPlain(KEY, n);

describe('the IVs of a key', () => {
  it.each([0, 1, 255, 2 ** 32 - 20, 2 ** 48 - 50])('match the protocol, from n = %i on', (start) => {
    const ivs = new IvSequence(KEY, start);
    for (let n = start; n < start + 50; n++) {
      expect(ivs.current, `n = ${n}`).toEqual(ivOf(BigInt(n)));
      ivs.advance();
    }
  });

  it('do not advance until one has been used', () => {
    const ivs = new IvSequence(KEY, 7);
    for (let look = 0; look < 40; look++) expect(ivs.current).toEqual(ivOf(7n));
  });
});
