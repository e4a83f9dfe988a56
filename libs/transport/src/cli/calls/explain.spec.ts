import { TransportError } from '@sealwire/channel';
import { describe, expect, it } from 'vitest';

import { explain } from './explain.js';

const facts = { server: 'there:1', keyId: '0f1e2d3c4b5a6978', service: 'sealwire', timeoutMs: 1_000, pattern: '' };

describe('explain', () => {
  it.each([
    ['ECONNREFUSED', 'nothing is listening there (ECONNREFUSED)'],
    ['EIO', 'connect EIO'],
  ])('names the server of a failed connection once, for %s', (code, reason) => {
    const cause = Object.assign(new Error(`connect ${code}`), { code });
    const error = new TransportError('ERR_CONNECT_FAILED', `Cannot connect to there:1: connect ${code}`, { cause });
    expect(explain(error, facts)).toMatchObject({
      code: 'ERR_CONNECT_FAILED',
      message: `Cannot connect to there:1: ${reason}. Check the address, and whether the server is running`,
    });
  });
});
