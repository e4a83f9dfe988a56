import { describe, expect, it } from 'vitest';

import { toFailureBody } from './failure/failure-body.js';
import { HandlerFailure } from './failure/handler-failure.js';
import { toJson } from './json-reply.js';

// What JSON.parse reads of any depth, JSON.stringify of older engines cannot write.
const DEEP: unknown = JSON.parse('['.repeat(200_000) + ']'.repeat(200_000));

/** Newer engines write any depth. */
function isWritable(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== '';
  } catch {
    return false;
  }
}

describe.skipIf(isWritable(DEEP))('an answer of a server that is nested too deeply to be written', () => {
  it('is reported as a fault of the server', () => {
    let failure: unknown;
    try {
      toJson({ deep: DEEP });
    } catch (error) {
      failure = error;
    }
    expect(toFailureBody(failure)).toMatchObject({ statusCode: 502, code: 'ERR_MESSAGE_UNSERIALIZABLE', sent: true });
  });

  it.each([
    ['as a failure', DEEP, 'The handler failed'],
    ['in a list of messages', { message: ['no stock', DEEP] }, 'no stock; a part is nested too deeply to be shown'],
    ['as a field of one', { message: 'no stock', details: DEEP, order: 7 }, 'no stock'],
  ])('is reported as a failure of the handler: %s', (_where, cause, message) => {
    const body = toFailureBody(new HandlerFailure(cause));
    expect(body).toMatchObject({ statusCode: 502, code: 'ERR_RPC', message });
    expect(body).not.toHaveProperty('details');
    expect(() => JSON.stringify(body)).not.toThrow();
  });
});

it('failure messages that are not strings are written as JSON', () => {
  const cause = { message: ['no stock', { toString: 'no function', of: 7 }, 5] };
  expect(toFailureBody(new HandlerFailure(cause)).message).toBe('no stock; {"toString":"no function","of":7}; 5');
});
