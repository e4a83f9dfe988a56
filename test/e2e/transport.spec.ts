import { inspect } from 'node:util';

import { Controller, Inject, Injectable } from '@nestjs/common';
import type { INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientProxy,
  ClientsModule,
  Ctx,
  EventPattern,
  MessagePattern,
  Payload,
  RpcException,
} from '@nestjs/microservices';
import { finalize, firstValueFrom, interval, lastValueFrom, NEVER, Observable, of, Subject, take, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  RemoteError,
  SealwireClient,
  SealwireContext,
  SealwireModule,
  SealwireRecordBuilder,
} from '@sealwire/transport';
import type { SealwireServer } from '@sealwire/transport';
import { EchoController, rootModule, startApplication } from '../support/application.js';
import { endAll, keyring, newClient, newKeyring, portOf } from '../support/pair.js';

const events: unknown[] = [];
const torndown = new Subject<string>();
const [running, release] = [new Subject<void>(), new Subject<unknown>()];

@Controller()
class DemoController {
  @MessagePattern('echo')
  echo(@Payload() data: unknown): unknown {
    return data;
  }

  @MessagePattern({ cmd: 'sum', of: 'numbers' })
  sum(@Payload() numbers: number[]): number {
    return numbers.reduce((total, number) => total + number, 0);
  }

  @MessagePattern('count')
  count(): Observable<number> {
    return of(1, 2, 3);
  }

  @MessagePattern('nothing')
  nothing(): void {}

  @MessagePattern('bigint')
  bigint(): bigint {
    return 1n;
  }

  @MessagePattern('refuse')
  refuse(): never {
    throw new RpcException({ status: 'error', message: 'not today', reason: 42 });
  }

  @MessagePattern('tick')
  tick(@Ctx() context: SealwireContext): Observable<number> {
    context.getSignal().addEventListener('abort', () => torndown.next('signal'));
    return new Observable((observer) => {
      const ticking = interval(1).subscribe(observer);
      return () => {
        ticking.unsubscribe();
        torndown.next('observable');
      };
    });
  }

  @MessagePattern('never')
  never(@Ctx() context: SealwireContext): Observable<never> {
    context.getSignal().addEventListener('abort', () => torndown.next('signal'));
    return NEVER.pipe(finalize(() => torndown.next('observable')));
  }

  @MessagePattern('slow')
  slow(): Promise<string> {
    return new Promise((resolve) => void setTimeout(() => resolve('late'), 40));
  }

  @MessagePattern('hold')
  hold(): Promise<unknown> {
    running.next();
    return firstValueFrom(release);
  }

  @MessagePattern('context')
  context(@Ctx() context: SealwireContext): object {
    const socket = context.getSocketRef();
    return {
      pattern: context.getPattern(),
      keyId: context.getKeyId(),
      address: context.getRemoteAddress(),
      metadata: context.getMetadata(),
      peerPort: socket.remotePort,
      canWrite: 'write' in socket || 'end' in socket || 'destroy' in socket,
    };
  }

  @EventPattern('noted')
  noted(@Payload() data: unknown): void {
    events.push(data);
  }
}

let app: INestMicroservice;
let server: SealwireServer;

beforeEach(async () => {
  events.length = 0;
  ({ app, server } = await startApplication({ controllers: [DemoController] }));
});

afterEach(() => endAll());

const client = (options = {}): SealwireClient => newClient(portOf(server), options);
const failure = (values: Observable<unknown>): Promise<unknown> =>
  lastValueFrom(values).catch((error: unknown) => error);

describe('a Nest application on SealwireServer', () => {
  it('answers string and object patterns with any order of keys', async () => {
    expect(await firstValueFrom(client().send('echo', { a: [1] }))).toEqual({ a: [1] });
    expect(await firstValueFrom(client().send({ of: 'numbers', cmd: 'sum' }, [1, 2, 3]))).toBe(6);
  });

  it('streams an observable in order, and completes empty for undefined', async () => {
    expect(await lastValueFrom(client().send('count', 0).pipe(toArray()))).toEqual([1, 2, 3]);
    expect(await lastValueFrom(client().send('nothing', 0).pipe(toArray()))).toEqual([]);
  });

  it('carries bytes as bytes in both directions', async () => {
    const bytes = Buffer.from([0, 1, 254, 255]);
    expect(await firstValueFrom(client().send('echo', bytes))).toEqual(bytes);
    expect(await firstValueFrom(client().send('echo', new Uint8Array(100_000)))).toEqual(Buffer.alloc(100_000));
  });

  it('acknowledges an event when its handler receives it', async () => {
    await lastValueFrom(client().emit('noted', 7), { defaultValue: undefined });
    expect(events).toEqual([7]);
  });

  it('fails with the message of Nest if there is no handler', async () => {
    expect(await failure(client().send('no such', 0))).toBe(
      'There is no matching message handler defined in the remote service.',
    );
  });

  it('fails with a real error that has the fields of the filter', async () => {
    const error = await failure(client().send('refuse', 0));
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({ status: 'error', message: 'not today', reason: 42 });
  });

  it('fails if the answer cannot be serialized', async () => {
    expect(await failure(client().send('bigint', 0))).toMatchObject({ code: 'ERR_MESSAGE_UNSERIALIZABLE' });
  });

  it('refuses null data with the exception of Nest', async () => {
    expect(await failure(client().send('echo', null))).toBeInstanceOf(Error);
  });

  it('provides the details of a message in the context of the handler', async () => {
    const caller = client();
    await caller.connect();
    const { localPort } = caller.unwrap();
    expect(await firstValueFrom(caller.send('context', 0))).toEqual({
      pattern: 'context',
      keyId: keyring.primary.id,
      address: `127.0.0.1:${localPort}`,
      peerPort: localPort,
      canWrite: false,
    });
  });

  it.skipIf(!('setOnDispatchHook' in ClientProxy.prototype))(
    'receives the metadata of a dispatch hook of Nest 12 and of a record, which takes precedence',
    async () => {
      const caller = client();
      caller.setOnDispatchHook((packet) => (packet.metadata = { trace: 'hook', tenant: 'a' }));
      const record = new SealwireRecordBuilder(0).setMetadata({ trace: 'record' }).build();
      expect(await firstValueFrom(caller.send('context', record))).toMatchObject({
        metadata: { trace: 'record', tenant: 'a' },
      });
    },
  );

  it('unsubscribes the handler’s observable and fires its signal when the caller unsubscribes', async () => {
    const ends = firstValueFrom(torndown.pipe(take(2), toArray()));
    expect(await lastValueFrom(client().send('tick', 0).pipe(take(3), toArray()))).toEqual([0, 1, 2]);
    expect((await ends).sort()).toEqual(['observable', 'signal']);
  });

  it('unsubscribes the handler’s observable when the caller disconnects', async () => {
    const caller = client();
    const ends = firstValueFrom(torndown);
    const ticks = new Subject<unknown>();
    caller.send('tick', 0).subscribe({ next: (tick) => ticks.next(tick), error: () => undefined });
    await firstValueFrom(ticks);
    caller.unwrap().destroy();
    expect(await ends).toBe('signal');
  });
});

describe('SealwireClient', () => {
  it('shares one connection between concurrent first calls', async () => {
    let connections = 0;
    server.on('connection', () => void connections++);
    const caller = client();
    await Promise.all(Array.from({ length: 50 }, (_, i) => firstValueFrom(caller.send('echo', i))));
    expect(connections).toBe(1);
  });

  it('fails immediately and unsent if no server listens, and works as soon as one does', async () => {
    const port = portOf(server);
    const caller = newClient(port);
    await firstValueFrom(caller.send('echo', 1));
    await app.close();
    expect(await failure(caller.send('echo', 1))).toMatchObject({ code: 'ERR_CONNECT_FAILED', sent: false });
    await startApplication({ controllers: [EchoController], server: { port } });
    expect(await firstValueFrom(caller.send('echo', 2))).toBe(2);
  });

  it('is refused with another key, and with another service name', async () => {
    for (const options of [{ keyring: newKeyring() }, { service: 'other' }]) {
      await expect(client(options).connect()).rejects.toMatchObject({ code: 'ERR_ALERT', sent: false });
    }
  });

  it('fails a request at its deadline, and cancels the handler', async () => {
    const ends = firstValueFrom(torndown.pipe(take(2), toArray()));
    const caller = client({ requestTimeoutMs: 500 });
    await caller.connect();
    expect(await failure(caller.send('never', 0))).toMatchObject({
      code: 'ERR_REQUEST_TIMEOUT',
    });
    expect((await ends).sort()).toEqual(['observable', 'signal']);
  });

  it('prefers the deadline of a single message to its own', async () => {
    const record = (timeoutMs: number) => new SealwireRecordBuilder('x').setTimeoutMs(timeoutMs).build();
    const caller = client();
    await caller.connect();
    expect(await failure(caller.send('never', record(500)))).toMatchObject({
      code: 'ERR_REQUEST_TIMEOUT',
      sent: true,
    });
    expect(await failure(client({ requestTimeoutMs: 1 }).send('slow', record(0)))).toBe('late');
  });

  it.each([-1, 1.5, 2 ** 31, NaN])('refuses a deadline of %d ms for a single message', (timeoutMs) => {
    expect(() => new SealwireRecordBuilder('x').setTimeoutMs(timeoutMs)).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION' }) as Error,
    );
  });

  it('refuses a record without data', () => {
    expect(() => new SealwireRecordBuilder().build()).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION' }) as Error,
    );
    expect(new SealwireRecordBuilder<string>().setData('x').build().data).toBe('x');
  });

  it('refuses a message that the server would not accept, before it is sent', async () => {
    const error = await failure(client().send('echo', Buffer.alloc(9_000_000)));
    expect(error).toMatchObject({ code: 'ERR_MESSAGE_TOO_LARGE', sent: false });
  });

  it.each([128, 512])('finishes %i concurrent requests of 64 KiB on one connection', async (count) => {
    const text = 'x'.repeat(65_536);
    const caller = client();
    const answers = await Promise.all(Array.from({ length: count }, () => firstValueFrom(caller.send('echo', text))));
    expect(answers.every((answer) => answer === text)).toBe(true);
  });

  it('answers a small request before a concurrent message of 8 MiB', async () => {
    const caller = client();
    await caller.connect();
    const order: string[] = [];
    const large = firstValueFrom(caller.send('echo', Buffer.alloc(8_388_000))).then(() => order.push('large'));
    const small = firstValueFrom(caller.send('echo', 1)).then(() => order.push('small'));
    await Promise.all([large, small]);
    expect(order).toEqual(['small', 'large']);
  });

  it.each(['client', 'server'] as const)('lets running calls finish when the %s closes', async (closer) => {
    const caller = client();
    const started = firstValueFrom(running);
    const answer = firstValueFrom(caller.send('hold', 0));
    await started;
    const closed = closer === 'client' ? caller.close() : app.close();
    release.next('done');
    expect(await answer).toBe('done');
    await closed;
    await caller.close();
  });

  it('changes its keys during requests without a loss', async () => {
    const key = { softRecords: 64, hardRecords: 200 };
    const { client: caller } = await startApplication({
      controllers: [EchoController],
      server: { limits: { key } },
      client: { limits: { key } },
    });
    for (let i = 0; i < 1_000; i++) expect(await firstValueFrom(caller.send('echo', i))).toBe(i);
  });

  it('continues when the server requests renewal at the age of the session', async () => {
    const { client: caller, server: young } = await startApplication({
      controllers: [EchoController],
      server: { timeouts: { sessionSoftAgeMs: 20 } },
    });
    const connections = new Set<unknown>();
    young.on('connection', (socket) => void connections.add(socket));
    while (connections.size < 3) {
      // A request that GOAWAY overtakes before it is sent fails as such; every other one is answered.
      const answer = await failure(caller.send('echo', 'x'));
      if (answer !== 'x') expect(answer).toMatchObject({ code: 'ERR_CONNECTION_DRAINING', sent: false });
    }
    expect(connections.size).toBe(3);
  });

  it('fails calls beyond the limit of running handlers, and keeps the connection', async () => {
    const { client: caller } = await startApplication({
      controllers: [DemoController],
      server: { limits: { maxInFlight: 8, maxRunning: 2 } },
    });
    const answers = [1, 2, 3].map(() => failure(caller.send('hold', 0)));
    expect(await answers[2]).toMatchObject({ code: 'ERR_OVERLOADED' });
    release.next(1);
    expect(await Promise.all(answers.slice(0, 2))).toEqual([1, 1]);
    expect(await firstValueFrom(caller.send('echo', 3))).toBe(3);
  });

  it('reports a port in use through listen(), and shows no key when it is inspected', async () => {
    await expect(startApplication({ server: { port: portOf(server) } })).rejects.toMatchObject({
      code: 'ERR_LISTEN_FAILED',
    });
    const psk = Buffer.from(keyring.primary.psk());
    for (const object of [server, client(), keyring]) {
      const shown = inspect(object, { showHidden: true, depth: 9 });
      for (const form of ['hex', 'base64', 'latin1'] as const) expect(shown).not.toContain(psk.toString(form));
    }
  });
});

describe('modules', () => {
  @Injectable()
  class Caller {
    constructor(@Inject('DEMO') readonly demo: ClientProxy) {}
  }

  it.each([
    ['SealwireModule.register', (port: number) => SealwireModule.register({ name: 'DEMO', port, keyring })],
    [
      'SealwireModule.registerAsync',
      (port: number) =>
        SealwireModule.registerAsync([{ name: 'DEMO', useFactory: () => Promise.resolve({ port, keyring }) }]),
    ],
    [
      'ClientsModule.register',
      (port: number) =>
        ClientsModule.register([{ name: 'DEMO', customClass: SealwireClient, options: { port, keyring } }]),
    ],
  ])('%s provides a client that works and closes with the application', async (_what, importModule) => {
    const root = rootModule({ imports: [importModule(portOf(server))], providers: [Caller] });
    const caller = await NestFactory.createApplicationContext(root, { logger: false });
    const { demo } = caller.get(Caller);
    expect(await firstValueFrom(demo.send('echo', 'hello'))).toBe('hello');
    await caller.close();
    expect(() => demo.unwrap()).toThrow(expect.objectContaining({ code: 'ERR_NOT_CONNECTED' }) as Error);
  });
});
