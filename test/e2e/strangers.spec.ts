// Connections that do not prove the key, more than may be: who has to go, and who is served all the same.
import { once } from 'node:events';
import { connect } from 'node:net';

import { firstValueFrom } from 'rxjs';
import { afterEach, expect, it } from 'vitest';

import type { SealwireServer } from '@sealwire/transport';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';
import { RoguePeer } from '../support/rogue-peer.js';
import { CONFIRM, request } from '../support/rogue-words.js';

const peers: RoguePeer[] = [];

afterEach(async () => {
  for (const { socket } of peers.splice(0)) socket.destroy();
  await endAll();
});

/** Is accepted, and says nothing by itself. */
async function arrive(server: SealwireServer, localAddress: string): Promise<RoguePeer> {
  const accepted = once(server.unwrap(), 'connection');
  const socket = connect({ port: portOf(server), host: '127.0.0.1', localAddress, allowHalfOpen: true });
  const peer = new RoguePeer('client', socket);
  peers.push(peer);
  await Promise.all([accepted, once(socket, 'connect')]);
  return peer;
}

it.each([
  ['in all', { maxStrangers: 3, maxStrangersPerAddress: 2 }, ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5']],
  ['of one address', { maxStrangers: 64, maxStrangersPerAddress: 3 }, Array<string>(4).fill('127.0.0.1')],
] as const)('the oldest go when too many prove no key %s, others are served', async (_which, limits, addresses) => {
  const server = await startServer({ ...limits, handshakeTimeoutMs: 60_000 });
  server.addHandler('count', () => Promise.resolve(1));
  const refused: unknown[] = [];
  server.connectionEvents.subscribe((event) => {
    if (event.type === 'refused') refused.push([event.address, event.error.code]);
  });
  const [first = '', second = '', third = '', fourth = ''] = addresses;
  const unconfirmed = await arrive(server, first);
  unconfirmed.write(unconfirmed.message1());
  await unconfirmed.hears('message 2');
  const { localAddress, localPort } = unconfirmed.socket;
  const silent = await arrive(server, second);
  await arrive(server, third);
  expect(server.snapshot().strangers).toBe(3);

  const newest = await arrive(server, fourth);
  await unconfirmed.left;
  expect(refused).toEqual([[`${localAddress}:${localPort}`, 'ERR_STRANGER_EVICTED']]);
  expect(server.snapshot().strangers).toBe(3);

  const client = newClient(portOf(server));
  expect(await firstValueFrom(client.send('echo', 'served'))).toBe('served');
  await silent.left;
  expect(silent.words).toEqual(['alert']);

  newest.write(newest.message1());
  await newest.hears('message 2');
  newest.say(CONFIRM, request());
  await newest.hears('NEXT 1');
  expect(server.snapshot()).toMatchObject({ strangers: 1, connections: 2 });
});
