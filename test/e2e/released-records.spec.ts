// The memory of a record is freed as soon as its frames were taken: nothing that waits may be a view of it.
import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Deserializer, WritePacket } from '@nestjs/microservices';
import type { SealwireContext } from '@sealwire/transport';
import { firstValueFrom, lastValueFrom, of, toArray } from 'rxjs';
import { afterEach, expect, it } from 'vitest';

import { endAll, newClient, portOf, startServer } from '../support/pair.js';

afterEach(() => endAll());

/** Large enough to be freed immediately, and each different. */
const VALUES = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(10_000));

/** Lets some turns pass before each packet, so that further records are read, and freed, meanwhile. */
const slow: Deserializer = {
  async deserialize(packet: WritePacket) {
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    return packet;
  },
};

it('requests and events that wait for an asynchronous deserializer of the server arrive as they were sent', async () => {
  const server = await startServer({ deserializer: slow });
  const noted: unknown[] = [];
  server.addHandler('note', (value: unknown) => Promise.resolve(noted.push(value)), true);
  const client = newClient(portOf(server));
  const answers = VALUES.map((value) => firstValueFrom(client.send('echo', value)));
  const events = VALUES.map((value) => lastValueFrom(client.emit('note', value), { defaultValue: undefined }));
  expect(await Promise.all(answers)).toEqual(VALUES);
  await Promise.all(events);
  expect(noted).toEqual(VALUES);
});

it('values that wait for an asynchronous deserializer of the client arrive as they were sent', async () => {
  const server = await startServer();
  server.addHandler('values', () => Promise.resolve(of(...VALUES)));
  const client = newClient(portOf(server), { deserializer: slow });
  expect(await lastValueFrom(client.send('values', 0).pipe(toArray()))).toEqual(VALUES);
});

it('bytes that a handler and a caller keep remain unchanged while further records are read', async () => {
  const server = await startServer({ keepSealedRecord: true });
  const kept: Buffer[] = [];
  server.addHandler('keep', (value: Buffer, context: SealwireContext) => {
    kept.push(value, context.getSealedRecord() ?? Buffer.alloc(0));
    return Promise.resolve(value);
  });
  const client = newClient(portOf(server));
  const sent = VALUES.map((value) => Buffer.from(value));
  const answers: Buffer[] = [];
  for (const bytes of sent) answers.push(await firstValueFrom(client.send<Buffer>('keep', bytes)));
  expect(answers).toEqual(sent);
  expect(kept.filter((_, index) => index % 2 === 0)).toEqual(sent);
  expect(kept.every(({ length }) => length > 0)).toBe(true);
});
