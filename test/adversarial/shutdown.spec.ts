// Peers that do not help a side to shut down: docs/protocol.md §5.5, §5.8. Only such a side has a drain deadline [R5.28].
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { firstValueFrom } from 'rxjs';

import { endAll, newClient, portOf, startServer } from '../support/pair.js';
import { RoguePeer } from '../support/rogue-peer.js';
import { RogueServer } from '../support/rogue-server.js';
import { asked, data, first, frame, GOAWAY, PING, request } from '../support/rogue-words.js';

interface Sabotage {
  /** Finishes "a peer that ...". */
  readonly name: string;
  readonly does: (rogue: RoguePeer) => void | Promise<void>;
  readonly closeMs?: number;
  /** The code of the failure that the other side reports. */
  readonly fails?: string;
}

const BOTH: readonly Sabotage[] = [
  { name: 'never answers GOAWAY, nor CLOSE [R5.22]', does: () => undefined, closeMs: 50 },
  {
    name: 'answers GOAWAY, and leaves the socket open after CLOSE [R5.22]',
    does: async (rogue) => {
      await rogue.hears('GOAWAY');
      rogue.say(GOAWAY);
    },
    closeMs: 50,
  },
  {
    name: 'resets in place of an answer to CLOSE [R5.22]',
    does: async (rogue) => {
      await rogue.hears('CLOSE');
      rogue.socket.resetAndDestroy();
    },
    fails: 'ERR_CONNECTION_LOST',
  },
  {
    name: 'sends PING after CLOSE, and gets no PONG [R5.11]',
    does: async (rogue) => {
      await rogue.hears('CLOSE');
      rogue.say(PING, PING);
      rogue.leave();
    },
  },
];

const OF_CLIENT: readonly Sabotage[] = [
  ...BOTH,
  {
    name: 'opens a stream before CLOSE arrives [R5.22]',
    does: async (rogue) => {
      await rogue.hears('CLOSE');
      rogue.say(request(2), data(first('REQUEST', 3), frame('CANCEL', 3)));
      rogue.leave();
    },
  },
];

const named = (sabotages: readonly Sabotage[]): [string, Sabotage][] => sabotages.map((each) => [each.name, each]);
const warnings: string[] = [];

beforeEach(() => {
  warnings.length = 0;
  const quiet = (): void => undefined;
  Logger.overrideLogger({ log: quiet, error: quiet, warn: (line: unknown) => warnings.push(String(line)) });
});

afterEach(async () => {
  await endAll();
  Logger.overrideLogger(false);
});

describe('a server that shuts down sends CLOSE at its drain deadline, whatever is open, to a client that', () => {
  it.each(named(OF_CLIENT))('%s', async (_name, { does, closeMs = 10_000, fails }) => {
    let runs = 0;
    const server = await startServer({ timeouts: { drainMs: 30, closeMs } });
    server.addHandler('hang', () => {
      runs += 1;
      return new Promise(() => undefined);
    });
    const rogue = await RoguePeer.dial(portOf(server));
    rogue.write(rogue.message1());
    await rogue.hears('message 2');
    rogue.say(rogue.confirm(), request(1, asked('hang')), PING);
    await rogue.hears('PONG');
    const closed = server.close();
    await does(rogue);
    await closed;
    await rogue.left;
    expect(rogue.words.slice(1)).toEqual(['PONG', 'GOAWAY', 'ERROR 1 ERR_STREAM_CUT', 'CLOSE']);
    expect(warnings).toEqual(fails === undefined ? [] : [expect.stringContaining(`(${fails})`)]);
    expect(runs).toBe(1);
    rogue.socket.destroy();
  });
});

describe('a client that is closed sends CLOSE at its drain deadline, and fails open calls, with a server that', () => {
  it.each(named(BOTH))('%s', async (_name, { does, closeMs = 10_000, fails = 'ERR_CLIENT_CLOSED' }) => {
    const rogueServer = await RogueServer.start(portOf(await startServer()));
    const client = newClient(rogueServer.port, { timeouts: { drainMs: 30, closeMs } });
    const outcome = firstValueFrom(client.send('count', 1)).catch((error: unknown) => error);
    const rogue = await rogueServer.peer;
    await rogue.hears('message 1');
    rogue.write(rogue.message2());
    await rogue.hears('REQUEST 1');
    const closed = client.close();
    await does(rogue);
    await closed;
    expect(await outcome).toMatchObject({ code: fails, sent: true });
    await rogue.left;
    expect(rogue.words.slice(-2)).toEqual(['GOAWAY', 'CLOSE']);
    rogueServer.close();
  });
});
