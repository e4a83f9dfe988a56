import { wireError } from '@sealwire/channel/internal';
import { describe, expect, it } from 'vitest';

import { bytesOf } from '../../../../test/support/frames.js';
import { encodeData, decodeData } from './payload.js';
import { asApplicationError, readRefusal, readWireError } from './wire-error.js';

const OVERLOADED = { status: 'error', message: 'any words', code: 'ERR_OVERLOADED' };
const encoded = (value: unknown): Buffer => bytesOf(encodeData(value));
const read = (data: Buffer) => readWireError(data, decodeData(data));

/** What the table of §6.6 says: the code, its message, and whether it refuses events. */
const TABLE = [
  ['ERR_OVERLOADED', 'The server is overloaded; the handler did not run', true],
  ['ERR_FORBIDDEN', 'This key may not call this pattern', true],
  ['ERR_SHUTTING_DOWN', 'The server is shutting down; the handler did not run', true],
  ['ERR_MESSAGE_MALFORMED', 'The message is malformed', true],
  ['ERR_MESSAGE_TOO_COMPLEX', 'The message has too many JSON values', true],
  ['ERR_REQUEST_TIMEOUT', 'The request timed out', true],
  ['ERR_MESSAGE_UNSERIALIZABLE', "The answer cannot be serialized; see the server's log", true],
  ['ERR_MESSAGE_TOO_LARGE', 'The answer is larger than the client accepts', true],
  ['ERR_ANSWER_OVERFLOW', 'The answer could not be queued: the client reads too slowly', false],
  ['ERR_STREAM_CUT', 'The server shut down before the answer was complete', false],
] as const;

describe('the failures of the transport on the wire', () => {
  it.each(TABLE)(
    '%s has exactly three members, and is recognized by its code and its place in the table',
    (code, message, refuses) => {
      const data = encoded(wireError(code));
      expect(decodeData(data)).toEqual({ status: 'error', message, code });
      expect(read(data)).toMatchObject({ code, message });
      expect(readRefusal(data, decodeData(data))?.code).toBe(refuses ? code : undefined);
    },
  );

  it.each(['ERR_OVERLOADED', 'ERR_FORBIDDEN', 'ERR_SHUTTING_DOWN'] as const)(
    '%s says that no handler began, so that the call may be moved [R6.35]',
    (code) => expect(read(encoded(wireError(code)))?.sent).toBe(false),
  );

  it('say of other codes that a handler may have run, and of every refused event that none did', () => {
    const data = encoded(wireError('ERR_REQUEST_TIMEOUT'));
    expect(read(data)?.sent).toBe(true);
    expect(readRefusal(data, decodeData(data))?.sent).toBe(false);
  });

  it('are recognized with any message, and never show the message of the peer [R6.33]', () => {
    expect(read(encoded(OVERLOADED))?.message).toBe('The server is overloaded; the handler did not run');
    expect(read(encoded({ ...OVERLOADED, message: '' }))).toBeDefined();
  });

  it.each([
    ['a fourth member', { ...OVERLOADED, application: true }],
    ['a member too few', { status: 'error', code: 'ERR_OVERLOADED' }],
    ['another status', { ...OVERLOADED, status: 'failed' }],
    ['a message that is not a string', { ...OVERLOADED, message: 1 }],
    ['a code that is not in the table', { ...OVERLOADED, code: 'ERR_INTERNAL' }],
    ['a code of Object.prototype', { ...OVERLOADED, code: 'toString' }],
    ['a code that is not a string', { ...OVERLOADED, code: ['ERR_OVERLOADED'] }],
    ['a list', ['error', 'any words', 'ERR_OVERLOADED']],
    ['a text', 'ERR_OVERLOADED'],
    ['nothing', null],
    ['encoding 03', { ...OVERLOADED, message: 'x'.repeat(2_000) }],
  ])('are not recognized in an error with %s [R6.33]', (_what, error) => {
    expect(read(encoded(error))).toBeUndefined();
  });
});

describe('the error of an application', () => {
  it('is marked if it has the shape of a transport failure, and otherwise unchanged [R6.34]', () => {
    expect(asApplicationError(OVERLOADED)).toEqual({ ...OVERLOADED, application: true });
    for (const error of ['x', 7, null, [1], { ...OVERLOADED, own: 1 }, { status: 'error', message: 'x' }])
      expect(asApplicationError(error)).toEqual(error);
    const bytes = Buffer.of(1);
    expect(asApplicationError(bytes)).toBe(bytes);
  });

  it('is marked also if it has the shape only in JSON, or if a second read changes it [R6.34]', () => {
    let reads = 0;
    const changing = {
      status: 'error',
      message: 'x',
      get code(): string {
        reads += 1;
        return reads === 1 ? 'ERR_OVERLOADED' : 'changed';
      },
    };
    expect(asApplicationError(changing)).toEqual({ ...OVERLOADED, message: 'x', application: true });
    expect(asApplicationError({ toJSON: () => OVERLOADED })).toEqual({ ...OVERLOADED, application: true });
  });
});
