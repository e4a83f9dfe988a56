import { describe, expect, it } from 'vitest';

import { bytesOf } from '../../../../test/support/frames.js';
import {
  decodePlainCall,
  decodePlainError,
  encodePlainAnswer,
  encodePlainCall,
  encodeWireError,
} from './plain-message.js';

const NO_TIMEOUT = Buffer.alloc(4);
const part = (content: string | Buffer): Buffer => {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 255), bytes]);
};
const call = (pattern: string | Buffer, metadata: string | Buffer): Buffer =>
  Buffer.concat([NO_TIMEOUT, part(pattern), part(metadata), Buffer.of(1, 0x78)]);
const json = (value: unknown): Buffer => Buffer.concat([Buffer.of(0), Buffer.from(JSON.stringify(value))]);
const withCode = (code: string): Error => expect.objectContaining({ code }) as Error;

describe('a plain call', () => {
  it('is decoded as it was encoded, with a pattern of any characters', () => {
    const message = bytesOf(encodePlainCall('REQUEST', 'pättern 😀', Buffer.from('body')));
    expect(decodePlainCall('REQUEST', message)).toEqual({ pattern: 'pättern 😀', body: Buffer.from('body') });
  });

  it.each([
    ['a pattern that is not UTF-8', call(Buffer.of(0xff, 0xfe), '')],
    ['metadata that is not JSON', call('p', 'no JSON')],
    ['metadata that is an array', call('p', '[]')],
    ['metadata that is null', call('p', 'null')],
    ['metadata that is not UTF-8', call('p', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))],
    ['a truncated head', Buffer.alloc(5)],
    ['data of JSON', Buffer.concat([NO_TIMEOUT, part('p'), part(''), Buffer.from([0, 0x31])])],
  ])('is refused with %s', (_, message) => {
    expect(() => decodePlainCall('REQUEST', message)).toThrow(withCode('ERR_MESSAGE_MALFORMED'));
  });

  it('may have metadata that is a JSON object', () => {
    expect(decodePlainCall('REQUEST', call('p', '{"trace":"1"}'))).toMatchObject({ pattern: 'p' });
  });

  it.each([
    ['a string', 'text'],
    ['numbers of 16 bits', Uint16Array.of(1, 2)],
    ['nothing', undefined],
  ])('of %s instead of bytes is not encoded', (_, body) => {
    const refusal = withCode('ERR_MESSAGE_UNSERIALIZABLE');
    expect(() => encodePlainCall('REQUEST', 'p', body as unknown as Uint8Array)).toThrow(refusal);
    expect(() => encodePlainAnswer(body)).toThrow(refusal);
  });

  it.each([
    ['a number', 5],
    ['a lone surrogate', '\uD800'],
  ])('with %s as its pattern is not encoded', (_, pattern) => {
    const refusal = withCode('ERR_BAD_OPTION');
    expect(() => encodePlainCall('REQUEST', pattern as string, Buffer.of())).toThrow(refusal);
  });
});

describe('a plain error', () => {
  it('is a failure of the transport if it has exactly the three members [R6.33]', () => {
    const error = bytesOf(encodeWireError('ERR_STREAM_CUT'));
    expect(decodePlainError('REQUEST', error)).toMatchObject({ code: 'ERR_STREAM_CUT', sent: true });
    const refusal = bytesOf(encodeWireError('ERR_OVERLOADED'));
    expect(decodePlainError('EVENT', refusal)).toMatchObject({ code: 'ERR_OVERLOADED', sent: false });
  });

  it.each([
    ['with a further member [R6.34]', { status: 'error', message: 'own', code: 'ERR_OVERLOADED', application: true }],
    ['with a code that is not sent', { status: 'error', message: 'own', code: 'ERR_BAD_MAC' }],
    ['that is a text', 'own'],
    ['with a message alone', { message: 'own' }],
  ])('%s is one of the application, and shows its text', (_, value) => {
    const error = decodePlainError('REQUEST', json(value));
    expect([error.name, error.message]).toEqual(['Error', 'own']);
  });

  it('of encoding 04 shows its text', () => {
    expect(decodePlainError('REQUEST', Buffer.from('\u0004own')).message).toBe('own');
  });

  it('that no server sends for an event fails the event without a code', () => {
    expect(decodePlainError('EVENT', bytesOf(encodeWireError('ERR_STREAM_CUT'))).name).toBe('Error');
  });
});
