import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseBody, parseMessage } from './body.js';

const JSON_TYPE = 'application/json';

describe('a body', () => {
  it.each([
    ['{"a":1}', { a: 1 }],
    ['"text"', 'text'],
    ['5', 5],
    ['false', false],
    ['[1,2]', [1, 2]],
    ['""', ''],
  ])('is any JSON value: %s', (text, value) => expect(parseBody(JSON_TYPE, Buffer.from(text))).toEqual(value));

  it.each(['application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"', 'application/json; profile=x'])(
    'is parsed as JSON under the type %s',
    (type) => expect(parseBody(type, Buffer.from('1'))).toBe(1),
  );

  it('is {} if it is empty, with a JSON type or without a type', () => {
    expect(parseBody(undefined, Buffer.alloc(0))).toEqual({});
    expect(parseBody(JSON_TYPE, Buffer.alloc(0))).toEqual({});
  });

  it('is raw bytes as application/octet-stream, even if it is empty', () => {
    expect(parseBody('application/octet-stream', Buffer.from([0, 255]))).toEqual(Buffer.from([0, 255]));
    expect(parseBody('application/octet-stream', Buffer.alloc(0))).toEqual(Buffer.alloc(0));
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=latin1',
    'text/json',
    'application/jsonp',
    undefined,
  ])('is refused under the type %s', (type) =>
    expect(() => parseBody(type, Buffer.from('{}'))).toThrow(expect.objectContaining({ code: 'ERR_MEDIA_TYPE' })),
  );

  it.each([
    ['null', 'null'],
    ['not JSON', '{"a"'],
    ['white space', ' '],
  ])('is refused if it is %s', (_, text) =>
    expect(() => parseBody(JSON_TYPE, Buffer.from(text))).toThrow(expect.objectContaining({ code: 'ERR_BAD_BODY' })),
  );

  it('is refused without being quoted if it is not UTF-8', () => {
    expect(() => parseBody(JSON_TYPE, Buffer.from([0x22, 0xff, 0x22]))).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_BODY', message: 'The body is not UTF-8' }),
    );
  });
});

describe('the body of POST /messages', () => {
  it.each([
    [{}, 'Hello Server!'],
    [{ text: 'Hi' }, 'Hi'],
    [{ text: '' }, ''],
    [{ text: 'Hi', more: 1 }, 'Hi'],
  ])('%o sends "%s"', (body, text) => expect(parseMessage(body)).toEqual({ text }));

  it.each([5, 'Hi', [], { text: 5 }, { text: null }, { txt: 'Hi' }])('%o is refused', (body) =>
    expect(() => parseMessage(body)).toThrow(expect.objectContaining({ code: 'ERR_BAD_BODY' })),
  );

  it('is never raw bytes', () => {
    expect(() => parseMessage(Buffer.from('Hi'))).toThrow(expect.objectContaining({ code: 'ERR_MEDIA_TYPE' }));
  });
});

describe('any body', () => {
  it('is parsed to a value other than null, or refused with a code', () => {
    const json = fc.json().map((text) => Buffer.from(text));
    const noise = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    const type = fc.oneof(
      fc.constantFrom(JSON_TYPE, 'application/json; charset=utf-8', 'application/octet-stream', undefined),
      fc.string(),
    );
    fc.assert(
      fc.property(type, fc.oneof(json, noise), (contentType, body) => {
        try {
          expect(parseBody(contentType, body)).not.toBeNull();
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_(BAD_BODY|MEDIA_TYPE)$/) });
        }
      }),
      { numRuns: 500 },
    );
  });
});
