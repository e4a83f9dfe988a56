import { runInNewContext } from 'node:vm';

import { describe, expect, it } from 'vitest';

import { connectFailed, joinReasons } from './connect-failed.js';

const refusal = (address: string): Error =>
  Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: 'ECONNREFUSED' });
const messageOf = ({ error }: { readonly error: Error }): string => error.message;

describe('connectFailed', () => {
  it('lists the failure of each address, also for errors of another realm, as in Jest', () => {
    const cause = runInNewContext(
      `new AggregateError([new Error('refused at ::1'), new Error('refused at 127.0.0.1')])`,
    );
    const { message } = connectFailed('localhost:1', cause as Error);
    expect(message).toBe('Cannot connect to localhost:1: Error: refused at ::1; Error: refused at 127.0.0.1');
  });

  it('names the remedy of a server that does not run, and none of an unknown failure', () => {
    expect(connectFailed('there:1', refusal('there:1')).message).toBe(
      'Cannot connect to there:1: connect ECONNREFUSED there:1: check the address, and whether the server is running',
    );
    const unknown = Object.assign(new Error('read EIO'), { code: 'EIO' });
    expect(connectFailed('there:1', unknown).message).toBe('Cannot connect to there:1: read EIO');
  });
});

describe('joinReasons', () => {
  const errors = ['a:1', 'b:2'].map((address) => ({ error: connectFailed(address, refusal(address)) }));

  it('names a remedy that all errors have once', () => {
    expect(joinReasons(errors, messageOf)).toBe(
      'Cannot connect to a:1: connect ECONNREFUSED a:1; Cannot connect to b:2: connect ECONNREFUSED b:2: check the address, and whether the server is running',
    );
  });

  it('keeps the remedy of each error if they differ', () => {
    const other = { error: connectFailed('c:3', Object.assign(new Error('no c'), { code: 'ENOTFOUND' })) };
    expect(joinReasons([...errors, other], messageOf)).toBe([...errors, other].map(messageOf).join('; '));
  });
});
