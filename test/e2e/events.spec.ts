import { once } from 'node:events';
import type { Socket } from 'node:net';

import { Controller, Logger } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { SealwireServer, SealwireServerOptions } from '@sealwire/transport';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { EventWindow } from '../../libs/channel/src/streams/events/event-window.js';
import { PROCESS_MEMORY } from '../../libs/channel/src/streams/incomplete-memory.js';
import { KeyPair } from '../../libs/channel/src/handshake/index.js';
import { arrived, outcome, startApplication } from '../support/application.js';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';
import { RoguePeer } from '../support/rogue-peer.js';
import { RogueServer } from '../support/rogue-server.js';
import { asked, data, event, first, noted, PING, request } from '../support/rogue-words.js';

const peers: RoguePeer[] = [];

afterEach(async () => {
  for (const { socket } of peers.splice(0)) socket.destroy();
  await endAll();
});

/** The instance key of a client that comes again. */
const INSTANCE = KeyPair.generate();

/** A client with an open connection, and the end of that connection at the server. */
async function dial(server: SealwireServer): Promise<{ peer: RoguePeer; closed: Promise<void> }> {
  const accepted = once(server.unwrap(), 'connection') as Promise<[Socket]>;
  const peer = await RoguePeer.dial(portOf(server), INSTANCE);
  peers.push(peer);
  const [socket] = await accepted;
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  peer.write(peer.message1());
  await peer.hears('message 2');
  peer.say(peer.confirm());
  return { peer, closed };
}

describe('an event that waits for a handler to end', () => {
  it('is dropped with its connection, and is handed over when it is sent again [R5.24, R6.22]', async () => {
    const values: unknown[] = [];
    const releases: (() => void)[] = [];

    @Controller()
    class HoldingController {
      @EventPattern('noted')
      hold(@Payload() value: unknown): Promise<void> {
        values.push(value);
        return new Promise((resolve) => releases.push(resolve));
      }
    }

    const { server } = await startApplication({
      controllers: [HoldingController],
      server: { limits: { maxInFlight: 4, maxRunning: 1 } },
    });
    const lost = await dial(server);
    lost.peer.say(event(1, noted(0, 'a')), event(2, noted(1, 'b')), PING);
    await lost.peer.hears('PONG');
    expect(lost.peer.words).not.toContain('ACK 2');
    lost.peer.socket.resetAndDestroy();
    await lost.closed;
    for (const release of releases.splice(0)) release();
    const second = await dial(server);
    expect(values).toEqual(['a']);
    second.peer.say(event(1, noted(0, 'a')), event(2, noted(1, 'b')));
    await second.peer.hears('ACK 2');
    expect(values).toEqual(['a', 'b']);
  });
});

describe('an event that cannot be handed over', () => {
  /** The events that the handlers received; they end when a release is called. */
  async function startHolding(options: Partial<SealwireServerOptions>) {
    const values: unknown[] = [];
    const releases: (() => void)[] = [];
    const server = await startServer(options);
    const hold = (value: unknown): Promise<void> => {
      values.push(value);
      return new Promise((resolve) => releases.push(resolve));
    };
    server.addHandler('noted', hold, true);
    return { server, values, releases };
  }

  it('is refused with the code of its content, which the client reports by event, counter and log', async () => {
    const entries: unknown[] = [];
    Logger.overrideLogger({
      log: () => undefined,
      warn: () => undefined,
      error: (entry: unknown) => entries.push(entry),
    });
    onTestFinished(() => Logger.overrideLogger(false));
    const { server } = await startHolding({ limits: { maxJsonNodes: 10 } });
    const client = newClient(portOf(server));
    const failed: unknown[] = [];
    client.connectionEvents.subscribe((each) => each.type === 'eventFailed' && failed.push(each.error));
    client.emit('noted', ['x'.repeat(70_000), ...Array.from({ length: 20 }, () => ['y'])]);
    await expect.poll(() => client.snapshot().eventsFailed).toBe(1);
    expect(failed).toMatchObject([{ code: 'ERR_MESSAGE_TOO_COMPLEX', sent: false }]);
    await client.close();
    const line =
      'The event noted did not reach a handler: The message has too many JSON values (ERR_MESSAGE_TOO_COMPLEX)';
    expect(entries.map(String)).toContain(line);
    expect(client.snapshot().connected).toBe(1);
  });

  it('is refused when a deserializer fails, and its sequence is not recorded [R6.39]', async () => {
    const deserialize = (packet: { data: unknown }): unknown => {
      if (packet.data === 'bad') throw new Error('not today');
      return packet;
    };
    const { server, values } = await startHolding({ deserializer: { deserialize } as never });
    const { peer } = await dial(server);
    peer.say(event(1, noted(0, 'bad')), event(2, noted(0, 'good')));
    await peer.hears('ACK 2');
    expect(peer.words).toContain('ERROR 1 ERR_MESSAGE_MALFORMED');
    expect(values).toEqual(['good']);
  });

  it('is checked against the window again after waiting, because another connection may have handed it over [R6.38]', async () => {
    const { server, values, releases } = await startHolding({ limits: { maxRunning: 1 } });
    const [one, other] = [await dial(server), await dial(server)];
    one.peer.say(event(1, noted(0, 'a')), event(2, noted(1, 'b')), PING);
    await one.peer.hears('PONG');
    other.peer.say(event(1, noted(1, 'b')));
    await other.peer.hears('ACK 1');
    for (const release of releases.splice(0)) release();
    await one.peer.hears('ACK 2');
    expect(values).toEqual(['a', 'b']);
  });

  it('is refused at the end of a shutdown, like a request that has not begun; one that has begun is cut [R6.35]', async () => {
    const { server, values } = await startHolding({ limits: { maxRunning: 2 }, timeouts: { drainMs: 50 } });
    server.addHandler('hang', () => new Promise(() => undefined));
    const { peer } = await dial(server);
    peer.say(event(1, noted(0, 'a')), request(2, asked('hang')), event(3, noted(1, 'b')));
    peer.say(data(first('REQUEST', 4)), data(first('EVENT', 5, 70_000, noted(2).subarray(0, 7))));
    peer.say(data(first('EVENT', 6, 70_000, noted(3).subarray(0, 8))), PING);
    await peer.hears('PONG');
    const closed = server.close();
    await peer.hears('CLOSE');
    peer.leave();
    await closed;
    const answers = ['ERROR 2 ERR_STREAM_CUT', ...[3, 4, 6].map((stream) => `ERROR ${stream} ERR_SHUTTING_DOWN`)];
    expect(peer.words.filter((word) => /ERROR|ACK|GOAWAY|CLOSE/.test(word))).toEqual([
      'ACK 1',
      'GOAWAY',
      ...answers,
      'CLOSE',
    ]);
    expect(values).toEqual(['a']);
  });

  it('is acknowledged at the end of a shutdown if another connection has handed it over [R6.22, R6.38]', async () => {
    const { server, values } = await startHolding({ limits: { maxRunning: 1 }, timeouts: { drainMs: 50 } });
    const [old, next] = [await dial(server), await dial(server)];
    old.peer.say(event(1, noted(0, 'a')), event(2, noted(1, 'b')));
    old.peer.say(data(first('EVENT', 3, 70_000, noted(0).subarray(0, 8))), PING);
    await old.peer.hears('PONG');
    next.peer.say(event(1, noted(1, 'b')), PING);
    await next.peer.hears('ACK 1');
    const closed = server.close();
    await Promise.all([old.peer.hears('CLOSE'), next.peer.hears('CLOSE')]);
    for (const { peer } of [old, next]) peer.leave();
    await closed;
    expect(old.peer.words.filter((word) => /ERROR|ACK/.test(word))).toEqual(['ACK 1', 'ACK 2', 'ACK 3']);
    expect(values).toEqual(['a', 'b']);
  });

  it('is acknowledged immediately if it comes again while its handler runs, and after it has ended [R6.22]', async () => {
    const { server, values, releases } = await startHolding({});
    const [old, next] = [await dial(server), await dial(server)];
    old.peer.say(event(1, noted(0, 'a')));
    await old.peer.hears('ACK 1');
    next.peer.say(event(1, noted(0, 'a')));
    await next.peer.hears('ACK 1');
    for (const release of releases) release();
    next.peer.say(event(2, noted(0, 'a')));
    await next.peer.hears('ACK 2');
    expect(values).toEqual(['a']);
  });
});

describe('the events of one client', () => {
  it('continue in sequence on a new connection, and none is mistaken for a known one [R6.21]', async () => {
    const server = await startServer();
    const values: unknown[] = [];
    server.addHandler('noted', (value: unknown) => Promise.resolve(void values.push(value)), true);
    const client = newClient(portOf(server));
    for (const value of ['a', 'b']) await arrived(client.emit('noted', value));
    client.unwrap().destroy();
    await expect.poll(() => client.snapshot().state).toBe('idle');
    for (const value of ['c', 'd']) await arrived(client.emit('noted', value));
    expect(values).toEqual(['a', 'b', 'c', 'd']);
    expect(client.snapshot()).toMatchObject({ connected: 2, eventsFailed: 0 });
  });
});

describe('an event whose connection was lost before its ACK', () => {
  it('fails with sent: true, and is not sent again automatically [R6.24, R6.40]', async () => {
    const server = await startServer();
    const values: unknown[] = [];
    server.addHandler('noted', (value: unknown) => Promise.resolve(void values.push(value)), true);
    const rogueServer = await RogueServer.start(portOf(server));
    onTestFinished(() => rogueServer.close());
    const client = newClient(rogueServer.port);
    const emitted = outcome(client.emit('noted', 'lost'));
    const rogue = await rogueServer.peer;
    await rogue.hears('message 1');
    rogue.write(rogue.message2());
    await rogue.hears('EVENT 1');
    rogue.socket.destroy();
    expect(await emitted).toMatchObject({ sent: true });
    await arrived(client.emit('noted', 'next'));
    expect(values).toEqual(['next']);
  });
});

describe('the sequence of events', () => {
  it('begins at 0 for each server object, also if one replaces another [R6.21]', async () => {
    const admitted = vi.spyOn(EventWindow.prototype, 'admit');
    onTestFinished(() => admitted.mockRestore());
    const old = await startServer();
    const port = portOf(old);
    const client = newClient(port);
    for (const value of ['a', 'b']) await arrived(client.emit('noted', value));
    await old.close();
    const young = await startServer({ port });
    await arrived(client.emit('noted', 'c'));
    await young.close();
    expect(admitted.mock.calls).toEqual([[0], [1], [0]]);
  });
});

describe('an answer for which the client has no memory', () => {
  it('fails that call, and no other [R6.30]', async () => {
    const server = await startServer();
    const client = newClient(portOf(server));
    await client.connect();
    const taken = 2 ** 52; // by the incomplete messages of other connections
    PROCESS_MEMORY.take(taken, Infinity);
    onTestFinished(() => PROCESS_MEMORY.release(taken));
    server.addHandler('large', () => Promise.resolve(Buffer.alloc(100_000)));
    expect(await outcome(client.send('large', 1))).toMatchObject({ code: 'ERR_QUEUE_FULL', sent: true });
    expect(await outcome(client.send('echo', 'small'))).toBe('small');
    expect(client.snapshot()).toMatchObject({ connected: 1, inFlight: 0 });
  });
});
