import { ImATeapotException, NotFoundException } from '@nestjs/common';
import { CryptoError } from '@sealwire/crypto';
import { TransportError } from '@sealwire/transport';
import { describe, expect, it } from 'vitest';

import { toFailureBody } from './failure-body.js';
import { HTTP_FAILURE_CODES, HttpFailure } from './http-failure.js';

describe('the body of a failure', () => {
  it.each(HTTP_FAILURE_CODES)('contains the code, the status and the message: %s', (code) => {
    const failure = new HttpFailure(code, 'why');
    expect(toFailureBody(failure)).toEqual({ statusCode: failure.getStatus(), code, message: 'why' });
  });

  it.each([true, false])('says whether the message was sent, if the channel can say so: %s', (sent) => {
    expect(toFailureBody(new TransportError('ERR_CONNECTION_LOST', 'why', { sent }))).toEqual({
      statusCode: 503,
      code: 'ERR_CONNECTION_LOST',
      message: 'why',
      sent,
    });
    expect(toFailureBody(new TransportError('ERR_NOT_CONNECTED', 'why'))).not.toHaveProperty('sent');
  });

  it('blames the caller for a message with too many values, and the server for such an answer', () => {
    for (const sent of [true, false]) {
      const refused = new TransportError('ERR_MESSAGE_TOO_COMPLEX', 'why', { sent }); // a request, and an event
      expect(toFailureBody(refused)).toMatchObject({ statusCode: 413, code: 'ERR_MESSAGE_TOO_COMPLEX', sent });
    }
    expect(toFailureBody(new TransportError('ERR_MESSAGE_TOO_COMPLEX', 'why'))).toMatchObject({ statusCode: 502 });
  });

  it.each([
    ['ERR_OVERLOADED', 503, false],
    ['ERR_SHUTTING_DOWN', 503, false],
    ['ERR_FORBIDDEN', 403, false],
    ['ERR_STREAM_CUT', 503, true],
    ['ERR_ANSWER_OVERFLOW', 502, true],
    ['ERR_MESSAGE_UNSERIALIZABLE', 502, true],
    ['ERR_MESSAGE_TOO_LARGE', 502, true],
    ['ERR_REQUEST_TIMEOUT', 504, true],
  ] as const)('has the status of the answer of the server: %s is %d', (code, statusCode, sent) => {
    expect(toFailureBody(new TransportError(code, 'why', { sent }))).toEqual({
      statusCode,
      code,
      message: 'why',
      sent,
    });
  });

  it.each([
    new CryptoError('ERR_KEYRING_NO_PRIMARY', 'Primary key 5568aa24c82d0bf1 may be used only until 2026'),
    new TransportError('ERR_KEY_REVOKED', 'Key 5568aa24c82d0bf1 was revoked', { sent: false }),
  ])('has the code and a fixed text for a failure of the keys: $code', (error) => {
    expect(toFailureBody(error)).toEqual({
      statusCode: 503,
      code: error.code,
      message: 'The keys of the client app cannot be used now; the log of the app has the reason',
      sent: false,
    });
  });

  it('has a code for failures that Nest itself answers', () => {
    expect(toFailureBody(new NotFoundException('where'))).toEqual({
      statusCode: 404,
      code: 'ERR_NO_ROUTE',
      message: 'where',
    });
    expect(toFailureBody(new ImATeapotException())).toMatchObject({ statusCode: 418, code: 'ERR_UNEXPECTED' });
  });

  it.each([new Error('secret'), 'secret', undefined])('reveals nothing about an unexpected failure', (error) => {
    expect(toFailureBody(error)).toMatchObject({ statusCode: 500, code: 'ERR_UNEXPECTED' });
    expect(JSON.stringify(toFailureBody(error))).not.toContain('secret');
  });
});
