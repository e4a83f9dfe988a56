// The ways to come by a client, and what a client and a server show of themselves as those of Nest do.
import { Server as NetServer, Socket } from 'node:net';

import { Controller, Inject, Module } from '@nestjs/common';
import type { Logger } from '@nestjs/common';
import { Client, ClientProxy, ClientProxyFactory, ClientsModule, MessagePattern, Payload } from '@nestjs/microservices';
import type { ReadPacket, WritePacket } from '@nestjs/microservices';
import { SealwireClient, SealwireServer } from '@sealwire/transport';
import { firstValueFrom } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

import { EchoController, outcome, startApplication } from '../../support/application.js';
import { endAll, endLater, keyring, listen, newClient, portOf } from '../../support/pair.js';

afterEach(() => endAll());

const startEcho = () => startApplication({ controllers: [EchoController] });

describe('a client', () => {
  it('is created by ClientProxyFactory', async () => {
    const { server } = await startEcho();
    const client = ClientProxyFactory.create({
      customClass: SealwireClient,
      options: { port: portOf(server), keyring },
    });
    expect(client).toBeInstanceOf(SealwireClient);
    expect(await firstValueFrom(client.send('echo', 1))).toBe(1);
    await client.close();
  });

  it('is injected by @Client()', async () => {
    const { server } = await startEcho();
    const options = { port: portOf(server), keyring };

    @Controller()
    class CallingController {
      @Client({ customClass: SealwireClient, options } as never) // Nest types it for its own transports alone
      private readonly client!: ClientProxy;

      @MessagePattern('call')
      call(@Payload() value: unknown): Observable<unknown> {
        return this.client.send('echo', value);
      }
    }

    const front = await startApplication({ controllers: [CallingController] });
    expect(await outcome(front.client.send('call', 'through'))).toBe('through');
  });

  it('is created by ClientsModule.registerAsync, with the injected providers of a factory', async () => {
    const { server } = await startEcho();
    const settings = { provide: 'PORT', useValue: portOf(server) };

    @Module({ providers: [settings], exports: [settings] })
    class SettingsModule {}

    @Controller()
    class CallingController {
      constructor(@Inject('ECHO') private readonly client: ClientProxy) {}

      @MessagePattern('call')
      call(@Payload() value: unknown): Observable<unknown> {
        return this.client.send('echo', value);
      }
    }

    const clients = ClientsModule.registerAsync([
      {
        name: 'ECHO',
        imports: [SettingsModule],
        inject: ['PORT'],
        useFactory: (port: number) => ({ customClass: SealwireClient, options: { port, keyring } }),
      },
    ]);
    const front = await startApplication({ imports: [clients], controllers: [CallingController] });
    expect(await outcome(front.client.send('call', 'through'))).toBe('through');
  });

  it('may be of a class that maps values and errors in the hooks of Nest', async () => {
    const { server } = await startEcho();

    class MappingClient extends SealwireClient {
      protected override serializeResponse(response: unknown): unknown {
        return { mapped: response };
      }

      protected override serializeError(error: unknown): unknown {
        return { mapped: error };
      }
    }

    const client = new MappingClient({ port: portOf(server), keyring });
    endLater(client);
    expect(await outcome(client.send('echo', 1))).toEqual({ mapped: 1 });
    expect(await outcome(client.send('no such', 1))).toEqual({
      mapped: 'There is no matching message handler defined in the remote service.',
    });
  });

  it('may be closed twice, with the signal that Nest passes, and used again', async () => {
    const { server } = await startEcho();
    const client = newClient(portOf(server));
    await client.connect();
    const close: (signal?: string) => Promise<void> = client.close.bind(client);
    await Promise.all([close('SIGTERM'), close()]);
    await close();
    expect(await outcome(client.send('echo', 1))).toBe(1);
  });
});

class WatchingClient extends SealwireClient {
  readonly called: unknown[] = [];

  override connect(signal?: AbortSignal): Promise<void> {
    this.called.push('connect');
    return super.connect(signal);
  }

  protected override publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    this.called.push(packet.data);
    return super.publish(packet, callback);
  }
}

describe('a subclass', () => {
  it('of a client has its own connect() and publish() called, with the arguments of the caller', async () => {
    const { server } = await startEcho();
    const client = new WatchingClient({ port: portOf(server), keyring });
    endLater(client);
    expect(await outcome(client.send('echo', 'first'))).toBe('first');
    expect(await outcome(client.send('echo', 'second'))).toBe('second');
    expect(client.called).toEqual(['connect', 'first', 'second']);
  });

  it('of a client has its publish() called with the arguments of the caller, also after a wait for the server', async () => {
    const { app, server } = await startEcho();
    const port = portOf(server);
    await app.close();
    const wait = {
      timeouts: { waitForConnectionMs: 60_000 },
      requestTimeoutMs: 60_000,
      redial: { minMs: 5, maxMs: 20, inBackground: false },
    };
    const client = new WatchingClient({ port, keyring, ...wait });
    endLater(client);
    const answer = outcome(client.send('echo', 'late'));
    await startApplication({ controllers: [EchoController], server: { port } });
    expect(await answer).toBe('late');
    expect(client.called).toEqual(['connect', 'late']);
  });

  it('of a server has its own logger used', async () => {
    const lines: string[] = [];
    class LoggingServer extends SealwireServer {
      protected override readonly logger = {
        error: (message: unknown) => void lines.push(String(message)),
      } as unknown as Logger;
    }
    const server = new LoggingServer({ port: 0, keyring });
    endLater(server);
    await listen(server);
    await outcome(newClient(portOf(server)).emit('nobody', 1));
    await expect.poll(() => lines).toEqual([expect.stringContaining('no matching event handler')]);
  });
});

describe('status, on and unwrap', () => {
  it('of a client return its connection state and its socket, also before there is one', async () => {
    const { server } = await startEcho();
    const client = newClient(portOf(server));
    const [statuses, events]: [string[], string[]] = [[], []];
    client.status.subscribe((status) => statuses.push(status));
    client.on('close', () => events.push('close'));
    expect(() => client.unwrap()).toThrow(expect.objectContaining({ code: 'ERR_NOT_CONNECTED' }) as Error);
    await client.connect();
    expect(client.unwrap()).toBeInstanceOf(Socket);
    await client.close();
    await expect.poll(() => events).toEqual(['close']);
    await client.connect();
    expect(statuses).toEqual(['connected', 'disconnected', 'connected']);
    await client.close();
    await expect.poll(() => events).toEqual(['close', 'close']);
  });

  it('of a server and its application return the listening socket', async () => {
    const [statuses, events]: [string[], string[]] = [[], []];
    const { app, server } = await startApplication({
      controllers: [EchoController],
      configure: (created) => {
        created.status.subscribe((status) => statuses.push(status));
        created.on('listening' as never, (() => events.push('listening')) as never);
        created.on('connection' as never, (() => events.push('connection')) as never);
      },
    });
    expect(app.unwrap()).toBeInstanceOf(NetServer);
    expect(app.unwrap()).toBe(server.unwrap());
    const client = newClient(portOf(server));
    await client.connect();
    await app.close();
    expect(events).toEqual(['listening', 'connection']);
    expect(statuses).toEqual(['connected', 'disconnected']);
    expect(() => server.unwrap()).toThrow(expect.objectContaining({ code: 'ERR_NOT_CONNECTED' }) as Error);
  });

  it('of a server report that it is disconnected when it cannot listen', async () => {
    const { server } = await startEcho();
    const statuses: string[] = [];
    const second = startApplication({
      server: { port: portOf(server) },
      configure: (app) => void app.status.subscribe((status) => statuses.push(status)),
    });
    await expect(second).rejects.toMatchObject({ code: 'ERR_LISTEN_FAILED' });
    expect(statuses).toEqual(['disconnected']);
  });
});
