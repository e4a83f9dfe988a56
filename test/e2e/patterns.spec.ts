// Which texts reach which handler, and what its guard is asked about.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { SealwireContext } from '@sealwire/transport';
import { outcome } from '../support/application.js';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';

const NO_HANDLER = 'There is no matching message handler defined in the remote service.';
const DEEP_LEVELS = 10_000; // what 65,535 bytes of pattern hold

let port = 0;
const namePattern = (_data: unknown, context: SealwireContext): Promise<string> =>
  Promise.resolve(context.getPattern());

beforeEach(async () => {
  const server = await startServer();
  for (const pattern of ['admin.delete', { v: 1, cmd: 'sum' }, 7, true, { a: undefined, cmd: 'none' }])
    server.addHandler(pattern, namePattern);
  port = portOf(server);
});

afterEach(endAll);

const ask = (pattern: unknown): Promise<unknown> => outcome(newClient(port).send(pattern, 1));

describe('a pattern', () => {
  it.each(['admin.delete', '{"cmd":"sum","v":1}', '7'])('%s is the text that the context has', async (pattern) => {
    expect(await ask(pattern)).toBe(pattern);
  });

  it.each([
    '"admin.delete"',
    ' "admin.delete"',
    String.raw`"\u0061dmin.delete"`,
    '{"v":1,"cmd":"sum"}',
    '{"cmd":"sum", "v":1}',
    '{"cmd":"sum","v":1.0}',
    '{"v":2,"cmd":"sum","v":1}',
    '{"__proto__":1,"cmd":"sum","v":1}',
    '7.0',
    ' 7',
  ])('whose text differs from the route has no handler: %s', async (pattern) => {
    expect(await ask(pattern)).toBe(NO_HANDLER);
  });

  it.each([
    [{ cmd: 'sum', v: 1, version: undefined }],
    [{ cmd: 'sum', v: 1, run: () => 1, [Symbol('a')]: 1 }],
    [{ cmd: { toJSON: () => 'sum' }, v: 1 }],
  ])('of an object is reduced to JSON: %o', async (pattern) => {
    expect(await ask(pattern)).toBe('{"cmd":"sum","v":1}');
  });

  it('of a handler is reduced to JSON as well', async () => {
    expect(await ask({ cmd: 'none' })).toBe('{"cmd":"none"}');
    expect(await ask(true)).toBe('true');
  });

  it.each([[{ id: 1n }], [() => 1], [Symbol('a')]])('that JSON cannot express fails: %o', async (pattern) => {
    expect(await ask(pattern)).toMatchObject({ code: 'ERR_MESSAGE_UNSERIALIZABLE', sent: false });
  });

  it('of any depth leaves the connection intact', async () => {
    const client = newClient(port);
    const deep = '{"a":'.repeat(DEEP_LEVELS) + '1' + '}'.repeat(DEEP_LEVELS);
    expect(await outcome(client.send(deep, 1))).toBe(NO_HANDLER);
    expect(await outcome(client.send('admin.delete', 1))).toBe('admin.delete');
    expect(client.snapshot().connected).toBe(1);
  });

  it('that a deserializer returns as an object is a route in the context too', async () => {
    const deserialize = (packet: { data: unknown }): unknown => ({ ...packet, pattern: { v: 1, cmd: 'sum' } });
    const server = await startServer({ deserializer: { deserialize } });
    server.addHandler({ cmd: 'sum', v: 1 }, namePattern);
    expect(await outcome(newClient(portOf(server)).send('any', 1))).toBe('{"cmd":"sum","v":1}');
  });
});
