// More unauthenticated connections than the limit: which ones are evicted, and which clients are served all the same.
import { once } from 'node:events';
import { connect } from 'node:net';

import { firstValueFrom } from 'rxjs';
import { afterEach, expect, it } from 'vitest';

import type { SealwireServer } from '@sealwire/transport';
import { FakeClock } from '../support/fake-clock.js';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';
import { RoguePeer } from '../support/rogue-peer.js';
import { request } from '../support/rogue-words.js';

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

const CROWDS = [
  [
    'in all',
    { limits: { maxStrangers: 3, maxStrangersPerAddress: 2 } },
    ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'],
  ],
  ['of one address', { limits: { maxStrangers: 64, maxStrangersPerAddress: 3 } }, Array<string>(4).fill('127.0.0.1')],
] as const;

it.each(CROWDS)(
  'strangers %s are evicted when they are too many, those with the least progress first',
  async (_which, limits, hosts) => {
    const server = await startServer({ ...limits, timeouts: { handshakeMs: 60_000 } });
    server.addHandler('count', () => Promise.resolve(1));
    const refused: unknown[] = [];
    server.connectionEvents.subscribe((event) => {
      if (event.type === 'refused') refused.push([event.address, event.error.code]);
    });
    const [first, second, third, fourth] = hosts;
    const verified = await arrive(server, first);
    const message1 = verified.message1();
    verified.write(message1);
    await verified.hears('message 2');
    const begun = await arrive(server, second);
    begun.write(message1.subarray(0, 1));
    const silent = await arrive(server, third);
    expect(server.snapshot().strangers).toBe(3);

    const replaying = await arrive(server, fourth);
    await silent.left;
    expect(silent.words).toEqual(['alert']);

    replaying.write(message1);
    await replaying.hears('message 2');
    const { localAddress, localPort } = replaying.socket;
    await arrive(server, fourth);
    await replaying.left;
    expect(refused).toEqual([[`${localAddress}:${localPort}`, 'ERR_STRANGER_EVICTED']]);

    await arrive(server, third);
    const client = newClient(portOf(server)); // the two silent ones are older, and have to go
    expect(await firstValueFrom(client.send('echo', 'served'))).toBe('served');
    await Promise.all([arrive(server, fourth), arrive(server, fourth)]); // one of them takes the place of the other
    verified.say(verified.confirm(), request());
    await verified.hears('NEXT 1');
    begun.write(begun.message1().subarray(1));
    await begun.hears('message 2');
    expect(server.snapshot()).toMatchObject({ connections: 2 });
  },
);

it('the oldest stranger is evicted when all that are too many have a verified message 1', async () => {
  const server = await startServer({
    limits: { maxStrangers: 2, maxStrangersPerAddress: 2 },
    timeouts: { handshakeMs: 60_000 },
  });
  server.addHandler('count', () => Promise.resolve(1));
  const verified: RoguePeer[] = [];
  for (let count = 0; count < 2; count++) {
    const peer = await arrive(server, '127.0.0.1');
    peer.write(peer.message1());
    await peer.hears('message 2');
    verified.push(peer);
  }
  const [oldest, second] = verified;
  const newest = await arrive(server, '127.0.0.1');
  await oldest?.left;
  second?.say(second.confirm());
  newest.write(newest.message1());
  await newest.hears('message 2');
  newest.say(newest.confirm(), request());
  await newest.hears('NEXT 1');
  expect(server.snapshot()).toMatchObject({ strangers: 0, connections: 2 });
});

it('a crowd of one address that connects while the server is busy is accepted without a retry', async () => {
  FakeClock.install(); // however busy this machine is, the second in which they may be too many does not pass
  const server = await startServer({ limits: { maxStrangersPerAddress: 4 } });
  const clients = Array.from({ length: 40 }, () => newClient(portOf(server)));
  const refused: unknown[] = [];
  server.connectionEvents.subscribe((event) => {
    if (event.type === 'refused') refused.push(event.error.code);
  });
  const answers = await Promise.all(clients.map((client, index) => firstValueFrom(client.send('echo', index))));
  expect(answers).toEqual(clients.map((_, index) => index));
  expect(refused).toEqual([]);
});
