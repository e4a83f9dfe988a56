// What each side announces in the handshake binds the other side from its first record on: docs/protocol.md §4.2.
import { firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

import { endAll, newClient, portOf, startServer } from '../support/pair.js';
import { RoguePeer } from '../support/rogue-peer.js';
import { RogueServer } from '../support/rogue-server.js';
import { answer, asked, PING, request } from '../support/rogue-words.js';

const rogues: RogueServer[] = [];

afterEach(async () => {
  for (const rogue of rogues.splice(0)) rogue.close();
  await endAll();
});

describe('the limits of message 2', () => {
  it('bind the client from its first request on, which waits for them [R4.22]', async () => {
    const honest = await startServer();
    const rogueServer = await RogueServer.start(portOf(honest));
    rogues.push(rogueServer);
    const client = newClient(rogueServer.port);
    const tooLarge = firstValueFrom(client.send('count', Buffer.alloc(65_536))).catch((error: unknown) => error);
    const calls = [1, 2, 3].map((value) => firstValueFrom(client.send('count', value)));
    const rogue = await rogueServer.peer;
    await rogue.hears('message 1');
    rogue.write(rogue.message2({ maxInFlight: 1, maxMessageBytes: 65_536 }));
    expect(await tooLarge).toMatchObject({ code: 'ERR_MESSAGE_TOO_LARGE', sent: false });
    for (const stream of [1, 2, 3]) {
      await rogue.hears(`REQUEST ${stream}`);
      expect(rogue.words.at(-1), 'nothing is behind it').toBe(`REQUEST ${stream}`);
      rogue.say(answer(stream, stream));
    }
    expect(await Promise.all(calls)).toEqual([1, 2, 3]);
    rogue.leave();
  });
});

describe('the limits of CONFIRM', () => {
  it('bind the server from its first record on', async () => {
    const server = await startServer();
    server.addHandler('large', () => Promise.resolve(Buffer.alloc(65_536)));
    const rogue = await RoguePeer.dial(portOf(server));
    rogue.write(rogue.message1({ maxMessageBytes: 65_536 }));
    await rogue.hears('message 2');
    rogue.say(rogue.confirm(), request(1, asked('large')), PING);
    await rogue.hears('ERROR 1 ERR_MESSAGE_TOO_LARGE');
    rogue.leave();
    await rogue.left;
    expect(rogue.words.toSorted()).toEqual(['CLOSE', 'ERROR 1 ERR_MESSAGE_TOO_LARGE', 'PONG', 'message 2']);
  });
});

describe('rejectSelf', () => {
  it('refuses a server of the same process at the client, by a named error, before CONFIRM', async () => {
    const server = await startServer();
    const client = newClient(portOf(server), { rejectSelf: true });
    await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_SELF_CONNECTION', sent: false });
    expect(server.snapshot()).toMatchObject({ accepted: 0 });
  });

  it('refuses a client of the same process at the server, and no other client', async () => {
    const server = await startServer({ rejectSelf: true });
    const ended: unknown[] = [];
    server.connectionEvents.subscribe((event) => ended.push('error' in event ? event.error?.code : event.type));
    const failed = firstValueFrom(newClient(portOf(server)).send('echo', 1)).catch((error: { code?: string }) => error);
    expect(await failed).toMatchObject({ fault: 'network' });
    expect(ended).toEqual(['ERR_SELF_CONNECTION']);
    const other = await RoguePeer.dial(portOf(server));
    other.write(other.message1());
    await other.hears('message 2');
    other.say(other.confirm(), PING);
    await other.hears('PONG');
    other.leave();
  });

  it('lets a client connect to a server of another process', async () => {
    const rogueServer = await RogueServer.start(0);
    rogues.push(rogueServer);
    const client = newClient(rogueServer.port, { rejectSelf: true });
    const connected = client.connect();
    const rogue = await rogueServer.peer;
    await rogue.hears('message 1');
    rogue.write(rogue.message2());
    await connected;
    await rogue.hears('CONFIRM');
    expect(rogue.words).toEqual(['message 1', 'CONFIRM']);
    rogue.leave();
  });
});
