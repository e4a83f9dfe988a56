// Permissions by key for single handlers, with @AllowKeys().
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { AddressInfo } from 'node:net';

import { Catch, Controller, Get, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxyFactory, EventPattern, MessagePattern, RpcException, Transport } from '@nestjs/microservices';
import type { ClientProxy, MicroserviceOptions, TcpOptions } from '@nestjs/microservices';
import { Keyring } from '@sealwire/crypto';
import { AllowKeys, SealwireKeysGuard, SEALWIRE } from '@sealwire/transport';
import type { CallMessage, SealwireClient } from '@sealwire/transport';
import { throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { arrived, newServer, outcome, rootModule, startApplication } from '../support/application.js';
import { LiveKeys, newKey } from '../support/live-keys.js';
import { endAll, endLater, newClient, portOf } from '../support/pair.js';

const FORBIDDEN = { code: 'ERR_FORBIDDEN', sent: false, fault: 'peer' };
const BILLING = newKey({ label: 'billing' });
const AUDIT = newKey({ label: 'audit' });
/** Its label is the id of another key. */
const IMPOSTOR = newKey({ label: AUDIT.id });
const NAMELESS = newKey();
const KEYS = { BILLING, AUDIT, IMPOSTOR, NAMELESS };

let ran: string[] = [];

beforeEach(() => {
  ran = [];
});

afterEach(() => endAll());

@Controller()
@AllowKeys('billing')
class LedgerController {
  @MessagePattern('read')
  read(): string {
    ran.push('read');
    return 'read';
  }

  @MessagePattern('audit')
  @AllowKeys(AUDIT.id, 'billing')
  audit(): string {
    ran.push('audit');
    return 'audited';
  }

  @MessagePattern('only-audit')
  @AllowKeys(AUDIT.id)
  onlyAudit(): string {
    ran.push('only-audit');
    return 'audited';
  }

  @EventPattern('noted')
  noted(value: unknown): void {
    ran.push(`noted ${String(value)}`);
  }

  @MessagePattern('series')
  @AllowKeys('audit')
  async *series(): AsyncGenerator<number> {
    yield await Promise.resolve(1);
  }
}

@Controller()
class OpenController {
  @MessagePattern('open')
  open(): string {
    return 'open';
  }
}

async function start() {
  const { server } = await startApplication({
    controllers: [LedgerController, OpenController],
    server: { keyring: new LiveKeys(BILLING, AUDIT, IMPOSTOR, NAMELESS) },
    configure: (app) => app.useGlobalGuards(new SealwireKeysGuard()),
  });
  const entries: { readonly kind?: string; readonly label?: string; readonly message: string }[] = [];
  const add = (entry: unknown): void =>
    void entries.push(JSON.parse(JSON.stringify(entry)) as (typeof entries)[number]);
  Logger.overrideLogger({ log: add, warn: add, error: add });
  const client = (name: keyof typeof KEYS): SealwireClient =>
    newClient(portOf(server), { keyring: Keyring.of(KEYS[name]) });
  return { server, client, entries };
}

describe('@AllowKeys()', () => {
  it.each<[keyof typeof KEYS, string, unknown]>([
    ['BILLING', 'read', 'read'],
    ['AUDIT', 'read', FORBIDDEN],
    ['NAMELESS', 'read', FORBIDDEN],
    ['BILLING', 'audit', 'audited'],
    ['AUDIT', 'audit', 'audited'],
    ['AUDIT', 'only-audit', 'audited'],
    ['BILLING', 'only-audit', FORBIDDEN],
    ['IMPOSTOR', 'only-audit', FORBIDDEN],
    ['AUDIT', 'series', 1],
    ['BILLING', 'series', FORBIDDEN],
    ['NAMELESS', 'open', 'open'],
  ])('for the key %s and the pattern %s results in %o', async (key, pattern, result) => {
    const { client } = await start();
    const answer = await outcome(client(key).send(pattern, 1));
    if (result === FORBIDDEN) {
      expect(answer).toMatchObject(FORBIDDEN);
      expect(ran).toEqual([]);
    } else expect(answer).toBe(result);
  });

  it('sends the answer of a key whose patterns do not cover the call, so that nothing of the guard shows', async () => {
    const key = newKey({ patterns: ['other'] });
    const { server } = await startApplication({ server: { keyring: Keyring.of(key) } });
    const byPatterns = await outcome(newClient(portOf(server), { keyring: Keyring.of(key) }).send('read', 1));
    const { client } = await start();
    const byGuard = await outcome(client('AUDIT').send('read', 1));
    const shown = (error: unknown): object => ({ ...(error as object), message: (error as Error).message });
    expect(shown(byGuard)).toEqual(shown(byPatterns));
  });

  it('is counted, logged with the label of the key, and published with the code', async () => {
    const failed: CallMessage[] = [];
    const note = (message: unknown): void => void failed.push({ ...(message as CallMessage) });
    subscribe('sealwire:server:call:failed', note);
    onTestFinished(() => void unsubscribe('sealwire:server:call:failed', note));
    const { server, client, entries } = await start();
    await outcome(client('AUDIT').send('read', 1));
    expect(server.snapshot()).toMatchObject({ requestsForbidden: 1, eventsForbidden: 0, running: 0 });
    expect(entries.filter(({ kind }) => kind !== 'connected')).toMatchObject([
      {
        kind: 'forbidden',
        label: 'audit',
        message: expect.stringContaining('Refused a request for read: key ') as string,
      },
    ]);
    expect(failed).toMatchObject([{ pattern: 'read', code: 'ERR_FORBIDDEN' }]);
  });

  it('keeps an event of another key from its handler; the event is acknowledged, counted and logged', async () => {
    const { server, client, entries } = await start();
    await arrived(client('AUDIT').emit('noted', 1));
    await expect.poll(() => server.snapshot().eventsForbidden).toBe(1);
    await arrived(client('BILLING').emit('noted', 2));
    await expect.poll(() => ran).toEqual(['noted 2']);
    expect(entries.filter(({ kind }) => kind === 'forbidden')).toMatchObject([{ label: 'audit' }]);
    expect(entries.filter(({ kind }) => kind === 'event-handler')).toEqual([]);
  });

  it('leaves the answer to a filter of the application, which sees the code', async () => {
    @Catch(RpcException)
    class Filter {
      catch(exception: RpcException): Observable<never> {
        return throwError(() => ({ seen: exception.getError() }));
      }
    }
    const { client } = await startApplication({
      controllers: [LedgerController],
      server: { keyring: Keyring.of(AUDIT) },
      client: { keyring: Keyring.of(AUDIT) },
      configure: (app) => app.useGlobalFilters(new Filter()),
    });
    const seen = { status: 'error', message: 'This key may not call this pattern', code: 'ERR_FORBIDDEN' };
    expect(await outcome(client.send('read', 1))).toMatchObject({ seen });
  });

  it.each([[[]], [['']], [[7]], [['billing', undefined]]])('with the names %j throws ERR_BAD_OPTION', (names) => {
    expect(() => AllowKeys(...(names as string[]))).toThrowError(expect.objectContaining({ code: 'ERR_BAD_OPTION' }));
  });
});

@Controller()
@AllowKeys('billing')
class HybridController {
  @Get('read')
  get(): string {
    ran.push('http');
    return 'read';
  }

  @MessagePattern('read', Transport.TCP)
  tcp(): string {
    ran.push('tcp');
    return 'read';
  }

  @MessagePattern('read', SEALWIRE)
  read(): string {
    ran.push('sealwire');
    return 'read';
  }
}

describe('@AllowKeys() in a hybrid application', () => {
  it('refuses HTTP with 403 and Transport.TCP with the error of Nest, because they authenticate no key', async () => {
    const app = await NestFactory.create(rootModule({ controllers: [HybridController] }), { logger: false });
    endLater(app);
    const strategy = newServer({ keyring: Keyring.of(BILLING) });
    app.connectMicroservice<MicroserviceOptions>({ strategy }, { inheritAppConfig: true });
    const tcp = app.connectMicroservice<TcpOptions>({ transport: Transport.TCP, options: { port: 0 } });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');

    const response = await fetch(`${await app.getUrl()}/read`);
    expect([response.status, await response.json()]).toMatchObject([403, { message: 'Forbidden resource' }]);
    const [{ port }] = [tcp.unwrap<{ address(): AddressInfo }>().address()];
    const caller: ClientProxy = ClientProxyFactory.create({ transport: Transport.TCP, options: { port } });
    onTestFinished(() => void caller.close());
    expect(await outcome(caller.send('read', 1))).toMatchObject({ status: 'error', message: 'Forbidden resource' });
    const client = newClient(portOf(strategy), { keyring: Keyring.of(BILLING) });
    expect(await outcome(client.send('read', 1))).toBe('read');
    expect(ran).toEqual(['sealwire']);
  });
});
