// Servers that spoil the renewal of a session: docs/protocol.md §5.11. The client stays where it is [R5.36] [R5.37].
import { afterEach, describe, expect, it } from 'vitest';
import { filter, firstValueFrom } from 'rxjs';

import type { SealwireClient } from '../../libs/transport/src/index.js';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';
import type { RoguePeer } from '../support/rogue-peer.js';
import { RogueServer } from '../support/rogue-server.js';
import { GOAWAY, inner } from '../support/rogue-words.js';

afterEach(() => endAll());

const echo = (client: SealwireClient, word: string): Promise<unknown> => firstValueFrom(client.send('echo', word));
const CLOSE_LIMIT = inner('CLOSE', Buffer.of(3));

/** Finishes "a server that, in the place of the PONG, ..."; with the code of the failure that the client reports. */
const SPOILERS: readonly [string, (rogue: RoguePeer) => void, string][] = [
  ['closes with the code 03', (rogue) => rogue.say(CLOSE_LIMIT), 'ERR_OVERLOADED'],
  ['ends the stream', (rogue) => void rogue.socket.end(), 'ERR_TRUNCATED'],
  ['sends a PONG of other bytes', (rogue) => rogue.say(inner('PONG', Buffer.alloc(8))), 'ERR_RECORD_UNEXPECTED'],
  ['sends GOAWAY and CLOSE', (rogue) => rogue.say(GOAWAY, inner('CLOSE', Buffer.of(1))), 'ERR_CONNECTION_CLOSED'],
];

describe('a client that renews its session', () => {
  it.each(SPOILERS)('stays on the old connection with a server that %s', async (_name, spoil, code) => {
    const rogueServer = await RogueServer.start(portOf(await startServer()), 2);
    const client = newClient(rogueServer.port, {
      timeouts: { sessionSoftAgeMs: 100 },
      redial: { minMs: 5, maxMs: 20, inBackground: false },
    });
    expect(await echo(client, 'before')).toBe('before');
    const socket = client.unwrap();
    const failed = firstValueFrom(client.connectionEvents.pipe(filter(({ type }) => type === 'renewalFailed')));
    const renewed = firstValueFrom(client.connectionEvents.pipe(filter(({ type }) => type === 'renewed')));
    const rogue = await rogueServer.peer;
    await rogue.hears('message 1');
    rogue.write(rogue.message2());
    await rogue.hears('PING');
    expect(rogue.words).toEqual(['message 1', 'CONFIRM', 'PING']);
    expect(await echo(client, 'meanwhile')).toBe('meanwhile');
    expect(client.unwrap()).toBe(socket);
    spoil(rogue);
    expect(await failed).toMatchObject({ error: { code } });
    expect(await echo(client, 'after')).toBe('after');
    await renewed;
    expect(await echo(client, 'renewed')).toBe('renewed');
    expect(rogue.words).not.toContain('REQUEST 1');
    rogueServer.close();
  });

  it('sends GOAWAY on the old connection only after the PONG on the new one, and answers open requests there', async () => {
    const rogueServer = await RogueServer.start(portOf(await startServer()));
    const client = newClient(rogueServer.port, { timeouts: { sessionSoftAgeMs: 100 } });
    const answer = echo(client, 'x');
    const rogue = await rogueServer.peer;
    await rogue.hears('message 1');
    rogue.write(rogue.message2());
    await rogue.hears('GOAWAY');
    expect(rogue.words).toEqual(['message 1', 'CONFIRM', 'REQUEST 1', 'GOAWAY']);
    expect(client.snapshot()).toMatchObject({
      state: 'connected',
      connections: 2,
      roundTripMs: expect.any(Number) as number,
    });
    expect(await echo(client, 'new')).toBe('new');
    rogue.leave();
    await expect(answer).rejects.toMatchObject({ code: 'ERR_CONNECTION_CLOSED', sent: true });
    rogueServer.close();
  });
});
