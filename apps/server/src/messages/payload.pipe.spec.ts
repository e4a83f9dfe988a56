import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { messageSchema } from './message/message.schema.js';
import { PayloadPipe } from './payload.pipe.js';

const pipe = new PayloadPipe();
const schema = z.object({ order: z.object({ id: z.int('expected an integer') }) });

describe('the payload of a handler', () => {
  it('is parsed by its schema', async () => {
    expect(await pipe.transform('Hi', { type: 'body', schema: messageSchema })).toEqual({ text: 'Hi' });
  });

  it('is passed on unchanged if no schema is declared', async () => {
    expect(await pipe.transform(5, { type: 'body' })).toBe(5);
  });

  it('is refused with an error that names the reason and the place', async () => {
    await expect(pipe.transform({ order: { id: 'x' } }, { type: 'body', schema })).rejects.toThrow(
      'The payload was refused: order: id: expected an integer',
    );
  });

  it('is not traversed before its schema checks it', async () => {
    const visited: PropertyKey[] = [];
    const payload = new Proxy([{}], {
      ownKeys: (target) => (visited.push('keys'), Reflect.ownKeys(target)),
      get: (target, key): unknown => (visited.push(key), Reflect.get(target, key)),
    });
    const untouched = { '~standard': { version: 1, vendor: 'test', validate: () => ({ value: 'checked' }) } } as const;
    expect(await pipe.transform(payload, { type: 'body', schema: untouched })).toBe('checked');
    expect(visited).toEqual([]);
  });

  it('with many faults is refused with ten of them', async () => {
    const numbers = z.array(z.int('expected an integer'));
    const payload = Array.from({ length: 1_000 }, () => 'x');
    await expect(pipe.transform(payload, { type: 'body', schema: numbers })).rejects.toThrow(
      /^The payload was refused: 0: .*; 9: expected an integer; and 990 more$/,
    );
  });

  it.each([5, null, {}, { text: 5 }])('of message is refused if it has no text: %o', async (payload) => {
    await expect(pipe.transform(payload, { type: 'body', schema: messageSchema })).rejects.toThrow(
      'The payload was refused: expected { "text": "…" }',
    );
  });
});
