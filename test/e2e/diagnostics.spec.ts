import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import type { CallMessage, ConnectionMessage, HandshakeMessage } from '@sealwire/transport';
import { concat, firstValueFrom, NEVER, of, Subject, take } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { CallTrace } from '../../libs/transport/src/diagnostics.js';

import { all, arrived, outcome, startApplication, startCaller } from '../support/application.js';
import { endAll, key, keyring, newKeyring, portOf } from '../support/pair.js';
import { findSecrets } from '../support/secret-forms.js';

const ENDS = ['client', 'server'] as const;
const EVENTS = [
  'call:start',
  'call:end',
  'call:failed',
  'handshake:done',
  'handshake:failed',
  'connection:opened',
  'connection:closed',
] as const;

type Message = CallMessage | ConnectionMessage | HandshakeMessage;

interface Published {
  readonly name: string;
  /** A copy of the object, as it was then. */
  readonly message: Message;
  readonly object: Message;
}

const published: Published[] = [];
const whenPublished = new Subject<string>();

beforeEach(() => {
  published.length = 0;
});

afterEach(() => endAll());

/** Subscribes to all channels until the test ends. */
function observe(): void {
  for (const name of ENDS.flatMap((end) => EVENTS.map((event) => `sealwire:${end}:${event}`))) {
    const listen = (message: unknown): void => {
      const object = message as Message;
      if (isOfEarlierTest(name, object)) return;
      published.push({ name: name.replace('sealwire:', ''), message: { ...object }, object });
      whenPublished.next(name);
    };
    subscribe(name, listen);
    onTestFinished(() => void unsubscribe(name, listen));
  }
}

/** A client does not wait for the end of a connection that it closes. */
function isOfEarlierTest(name: string, message: Message): boolean {
  if (!name.endsWith('connection:closed') || !('address' in message)) return false;
  const opened = messagesOf(name.replace('sealwire:', '').replace('closed', 'opened')) as ConnectionMessage[];
  return !opened.some(({ address }) => address === message.address);
}

function messagesOf(name: string): Message[] {
  return published.filter((one) => one.name === name).map(({ message }) => message);
}

/** Resolves when so many messages were published on a channel. */
async function untilPublished(name: string, count = 1): Promise<void> {
  while (messagesOf(name).length < count) await firstValueFrom(whenPublished);
}

function callNames(): string[] {
  return published.map(({ name }) => name).filter((name) => name.includes('call'));
}

@Controller()
class CallController {
  @MessagePattern('echo')
  echo(@Payload() value: unknown): unknown {
    return value;
  }

  @MessagePattern('three')
  three(): Observable<string> {
    return of('a', 'bb', 'ccc');
  }

  @MessagePattern('refuse')
  refuse(@Payload() reason: string): never {
    throw new RpcException(reason);
  }

  @MessagePattern('hold')
  hold(): Observable<never> {
    return NEVER;
  }

  @MessagePattern('endless')
  endless(): Observable<number> {
    return concat(of(1, 2), NEVER);
  }

  @EventPattern('noted')
  noted(@Payload() _value: unknown): void {}
}

const controllers = [CallController];

describe('the channels of a call', () => {
  it('publish one start and one end at each end, with the same object, the bytes and the duration', async () => {
    observe();
    const { client } = await startApplication({ controllers });
    expect(await outcome(client.send('echo', 'hello'))).toBe('hello');
    await untilPublished('server:call:end');
    expect(callNames().sort()).toEqual([
      'client:call:end',
      'client:call:start',
      'server:call:end',
      'server:call:start',
    ]);
    for (const end of ENDS) {
      const [start, ended] = published.filter(({ name }) => name.startsWith(`${end}:call`));
      expect(start?.message).toMatchObject({ kind: 'request', pattern: 'echo', durationMs: undefined });
      expect(ended?.message).toMatchObject({ isCancelled: false, code: undefined });
      expect(ended?.object).toBe(start?.object);
      const call = ended?.message as CallMessage | undefined;
      expect(call?.requestBytes).toBeGreaterThan('hello'.length);
      expect(call?.answerBytes).toBe(1 + '"hello"'.length); // after the byte of its encoding
      expect(call?.durationMs).toBeGreaterThanOrEqual(0);
    }
  });

  it('publish the same for an event', async () => {
    observe();
    const { client } = await startApplication({ controllers });
    await arrived(client.emit('noted', 1));
    await untilPublished('server:call:end');
    expect(callNames().sort()).toEqual([
      'client:call:end',
      'client:call:start',
      'server:call:end',
      'server:call:start',
    ]);
    expect(messagesOf('client:call:end')).toMatchObject([{ kind: 'event', pattern: 'noted', answerBytes: 0 }]);
    expect(messagesOf('server:call:end')).toMatchObject([{ kind: 'event', pattern: 'noted', answerBytes: 0 }]);
  });

  it('add up the values of an answer', async () => {
    observe();
    const { client } = await startApplication({ controllers });
    expect(await all(client.send('three', 0))).toEqual(['a', 'bb', 'ccc']);
    await untilPublished('server:call:end');
    const [one, two] = [...messagesOf('client:call:end'), ...messagesOf('server:call:end')] as CallMessage[];
    expect(one?.answerBytes).toBeGreaterThanOrEqual('abbccc'.length);
    expect(two?.answerBytes).toBe(one?.answerBytes);
  });

  it('publish that a call was cancelled', async () => {
    observe();
    const { client } = await startApplication({ controllers });
    expect(await firstValueFrom(client.send('endless', 0).pipe(take(1)))).toBe(1);
    await untilPublished('server:call:end');
    for (const end of ENDS) expect(messagesOf(`${end}:call:end`)).toMatchObject([{ isCancelled: true }]);
  });

  it('publish a failure of the handler without a code', async () => {
    observe();
    const { client } = await startApplication({ controllers });
    expect(await outcome(client.send('refuse', 'no'))).toMatchObject({ message: 'no' });
    await untilPublished('server:call:failed');
    for (const end of ENDS) expect(messagesOf(`${end}:call:failed`)).toMatchObject([{ code: undefined }]);
    expect(callNames()).toHaveLength(4);
  });

  it('publish the code of a call that fails before it has a connection, and while it waits for one', async () => {
    const { app, client, server } = await startApplication({ controllers });
    const port = portOf(server);
    await app.close();
    observe();
    await outcome(client.send('echo', 1));
    await outcome(client.emit('noted', 1));
    expect(messagesOf('client:call:failed')).toMatchObject([
      { kind: 'request', code: 'ERR_CONNECT_FAILED' },
      { kind: 'event', code: 'ERR_CONNECT_FAILED' },
    ]);
    const patient = await startCaller(port, { timeouts: { waitForConnectionMs: 60_000 }, requestTimeoutMs: 30 });
    await outcome(patient.send('echo', 1));
    patient.send('echo', 1).subscribe().unsubscribe();
    expect(messagesOf('client:call:failed').at(-1)).toMatchObject({ code: 'ERR_REQUEST_TIMEOUT', requestBytes: 0 });
    expect(messagesOf('client:call:end')).toMatchObject([{ isCancelled: true, requestBytes: 0 }]);
    expect(messagesOf('client:call:start')).toHaveLength(4);
  });

  it('publish the code of a call that cannot be made', async () => {
    observe();
    const { client } = await startApplication({ controllers, client: { serializer: { serialize: () => 5 } } });
    await outcome(client.send('echo', 1));
    await outcome(client.send('echo', 1));
    const failure = { pattern: 'echo', code: 'ERR_MESSAGE_UNSERIALIZABLE' };
    expect(messagesOf('client:call:failed')).toMatchObject([failure, failure]);
  });

  it('publish a deadline as a failure at the client and an end at the server', async () => {
    observe();
    const { client } = await startApplication({ controllers, client: { requestTimeoutMs: 1_000 } });
    await outcome(client.send('hold', 1));
    await untilPublished('server:call:end');
    expect(messagesOf('client:call:failed')).toMatchObject([{ code: 'ERR_REQUEST_TIMEOUT' }]);
    expect(messagesOf('server:call:end')).toMatchObject([{ isCancelled: true }]);
  });

  it('create nothing for an unobserved call', () => {
    const toRoute = (): never => expect.fail('a route was made');
    expect(CallTrace.start('client', 'request', 'x', toRoute)).toBeUndefined();
    observe();
    expect(CallTrace.start('client', 'request', 'x', String)).toBeInstanceOf(CallTrace);
  });
});

describe('the channels of a connection', () => {
  it('publish the handshake, the connection, and its end with the bytes on the wire', async () => {
    observe();
    const { client } = await startApplication({ controllers });
    await client.connect();
    await client.ping();
    await client.close();
    await Promise.all(ENDS.map((end) => untilPublished(`${end}:connection:closed`)));
    for (const end of ENDS) {
      const names = published.map(({ name }) => name).filter((name) => name.startsWith(end));
      expect(names).toEqual(
        ['handshake:done', 'connection:opened', 'connection:closed'].map((name) => `${end}:${name}`),
      );
      const peer = {
        address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
        keyId: keyring.primary.id,
        code: undefined,
      };
      expect(messagesOf(`${end}:handshake:done`)).toEqual([peer]);
      const [closed] = messagesOf(`${end}:connection:closed`) as ConnectionMessage[];
      expect(closed).toMatchObject(peer);
      expect(closed?.bytesRead).toBeGreaterThan(100);
      expect(closed?.bytesWritten).toBeGreaterThan(100);
    }
  });

  it('publish the code of a connection that was lost', async () => {
    observe();
    const { client } = await startApplication({ controllers });
    await client.connect();
    client.unwrap().destroy();
    await Promise.all(ENDS.map((end) => untilPublished(`${end}:connection:closed`)));
    expect(messagesOf('client:connection:closed')).toMatchObject([{ code: 'ERR_CONNECTION_LOST' }]);
  });

  it('publish the code of a handshake that failed at each end', async () => {
    observe();
    const { server } = await startApplication({ controllers });
    const stranger = await startCaller(portOf(server), { keyring: newKeyring() });
    await expect(stranger.connect()).rejects.toMatchObject({ code: 'ERR_ALERT' });
    await untilPublished('server:handshake:failed');
    expect(messagesOf('client:handshake:failed')).toMatchObject([{ code: 'ERR_ALERT' }]);
    expect(messagesOf('server:handshake:failed')).toMatchObject([{ code: 'ERR_UNKNOWN_KEY', keyId: undefined }]);
    expect(published).toHaveLength(2);
  });
});

describe('messages', () => {
  it('contain no payload, no error text and no key', async () => {
    observe();
    const { client } = await startApplication({ controllers });
    const payload = 'a very private payload';
    await outcome(client.send('echo', payload));
    await outcome(client.send('refuse', payload));
    await arrived(client.emit('noted', payload));
    await client.close();
    await untilPublished('server:connection:closed');
    const dump = JSON.stringify(published);
    expect(published.length).toBeGreaterThan(15);
    expect(dump).not.toContain(payload);
    expect(findSecrets([dump], { key, psk: keyring.primary.psk() })).toEqual([]);
  });
});
