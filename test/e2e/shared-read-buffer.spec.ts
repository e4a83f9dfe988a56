// One buffer for all reads: nothing that is kept may be a view of it.
import { once } from 'node:events';
import type { Socket } from 'node:net';

import type { SealwireContext } from '@sealwire/transport';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

import { endAll, newClient, portOf, startServer } from '../support/pair.js';

afterEach(() => endAll());

const LARGE = Buffer.alloc(300_000, 'larger than a read');

describe.each([
  ['both ends share the read buffer', true, true],
  ['only the client shares the read buffer', false, true],
  ['only the server shares the read buffer', true, false],
  ['both ends have a buffer for each read', false, false],
])('when %s', (_what, server, client) => {
  it('many clients get their own bytes back at the same time', async () => {
    const port = portOf(await startServer({ shareReadBuffer: server }));
    const clients = Array.from({ length: 4 }, () => newClient(port, { shareReadBuffer: client }));
    const calls = clients.flatMap((each, index) =>
      [Buffer.alloc(10, index), Buffer.alloc(100_000, index), LARGE].map(async (sent) =>
        expect(sent.equals(await firstValueFrom(each.send<Buffer>('echo', sent)))).toBe(true),
      ),
    );
    await Promise.all(calls);
  });
});

it('a record that is kept for the handler remains unchanged while others are read', async () => {
  const server = await startServer({ keepSealedRecord: true });
  const records: Buffer[] = [];
  server.addHandler('keep', async (_data: unknown, context: SealwireContext) => {
    const record = context.getSealedRecord();
    if (record !== undefined) records.push(record);
    return Promise.resolve(records.length);
  });
  const client = newClient(portOf(server));
  await firstValueFrom(client.send('keep', 'first'));
  const first = Buffer.concat(records);
  for (let n = 0; n < 20; n++) await lastValueFrom(client.send('keep', `other ${n}`));
  expect(first.equals(records[0] ?? Buffer.alloc(0))).toBe(true);
  expect(new Set(records.map((record) => record.toString('hex'))).size).toBe(21);
  for (const record of records) expect(record.buffer.byteLength).toBe(record.length); // nothing else lies behind it
});

it.each([
  [true, 'does not call'],
  [false, 'calls'],
])('an accepted socket with shareReadBuffer %s %s a data listener of the application', async (isShared) => {
  const server = await startServer({ shareReadBuffer: isShared });
  const accepted = once(server.unwrap(), 'connection') as Promise<[Socket]>;
  const client = newClient(portOf(server));
  let bytes = 0;
  const connected = client.connect();
  const [socket] = await accepted;
  socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await connected;
  expect(await firstValueFrom(client.send('echo', 'hello'))).toBe('hello');
  expect(bytes > 0).toBe(!isShared);
});
