import { describe, expect, it } from 'vitest';

import { decodeInner, encodeInner } from './inner-message.js';

const withHead = (head: string, payload = ''): Uint8Array => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(head));
  return Buffer.concat([length, Buffer.from(head), Buffer.from(payload)]);
};

describe('an inner message', () => {
  it('is decoded as it was encoded', () => {
    const head = { headers: [['x-tenant', 'ü'] as const], reply: '_INBOX.1', answer: { id: 'a', number: 3 } };
    const inner = decodeInner(encodeInner(head, Buffer.of(0, 255)));
    expect(inner?.head).toEqual(head);
    expect(inner && [...inner.payload]).toEqual([0, 255]);
  });

  it.each([
    ['no length', Buffer.of(0, 0, 0)],
    ['a head that is longer than the bytes', Buffer.of(255, 255, 255, 255, 123, 125)],
    ['a head that is not JSON', withHead('{')],
    ['a head that is not an object', withHead('[]')],
    ['headers that are not a list', withHead('{"headers":{}}')],
    ['a header without a value', withHead('{"headers":[["x-tenant"]]}')],
    ['a header whose value is not a text', withHead('{"headers":[["x-tenant",1]]}')],
    ['an inbox that is not a text', withHead('{"reply":1}')],
    ['a place without an id', withHead('{"answer":{"number":1}}')],
    ['a place whose number is not whole', withHead('{"answer":{"id":"a","number":1.5}}')],
  ])('is refused with %s', (_name, bytes) => {
    expect(decodeInner(bytes)).toBeUndefined();
  });
});
