import type { Socket } from 'node:net';

import { Controller, Logger } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { afterEach, describe, expect, it } from 'vitest';
import { firstValueFrom, NEVER, retry, Subject } from 'rxjs';

import type { SealwireClient } from '@sealwire/transport';
import { EchoController, listenToWarnings, startApplication } from '../support/application.js';
import { endAll, portOf } from '../support/pair.js';
import { RoguePeer } from '../support/rogue-peer.js';

afterEach(async () => {
  await endAll();
  Logger.overrideLogger(false);
});

const echo = (client: SealwireClient): Promise<unknown> => firstValueFrom(client.send('echo', 'x'));

describe('a call that is retried as soon as its connection is lost', () => {
  it('opens a new connection in the same turn as the failure', async () => {
    const sockets: Socket[] = [];

    @Controller()
    class CuttingController {
      @MessagePattern('cut')
      cut(): unknown {
        const [first, second] = sockets;
        if (second !== undefined) return 'x';
        first?.destroy();
        return NEVER;
      }
    }

    const { client, server } = await startApplication({ controllers: [CuttingController] });
    server.on('connection', (socket) => void sockets.push(socket));
    expect(await firstValueFrom(client.send('cut', 0).pipe(retry(1)))).toBe('x');
  });
});

describe('a server that closes', () => {
  it('refuses strangers immediately, at any step of their handshake', async () => {
    const { app, server } = await startApplication({});
    const strangers = await Promise.all(Array.from({ length: 3 }, () => RoguePeer.dial(portOf(server))));
    const [, begun, unconfirmed] = strangers;
    begun?.write(begun.message1().subarray(0, 50));
    unconfirmed?.write(unconfirmed.message1());
    await unconfirmed?.hears('message 2');
    await app.close();
    await Promise.all(strangers.map(({ left }) => left));
    expect(strangers.map(({ words }) => words)).toEqual([['alert'], ['alert'], ['message 2']]);
    for (const { socket } of strangers) socket.destroy();
  });
});

describe('a client that closes', () => {
  it('sends a call whose serializer still runs when the client is closed, and ends gracefully', async () => {
    const [entered, release] = [new Subject<unknown>(), new Subject<unknown>()];

    @Controller()
    class HoldingController {
      @MessagePattern('hold')
      async hold(): Promise<string> {
        await firstValueFrom(release);
        return 'held';
      }
    }

    let isSlow = false;
    const serialize = async (packet: unknown): Promise<unknown> => {
      if (!isSlow) return packet;
      const released = firstValueFrom(release);
      entered.next(packet);
      await released;
      return packet;
    };
    const { client } = await startApplication({
      controllers: [EchoController, HoldingController],
      client: { serializer: { serialize } },
    });
    const warnings = listenToWarnings();
    const held = firstValueFrom(client.send('hold', 1));
    expect(await echo(client)).toBe('x');
    isSlow = true;
    const isInSerializer = firstValueFrom(entered);
    const late = echo(client).catch((error: unknown) => error);
    await isInSerializer;
    const closed = client.close();
    release.next(undefined);
    expect(await late).toBe('x');
    expect(await held).toBe('held');
    await closed;
    expect(warnings).toEqual([]);
  });
});
