// What an application throws, emits or returns may throw again as soon as it is read. The call ends even so.
import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { SealwireClient } from '@sealwire/transport';
import { lastValueFrom, of, throwError } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

import { arrived, outcome, startApplication } from '../support/application.js';
import type { Application } from '../support/application.js';
import { endAll, endLater, newClient, portOf, startServer } from '../support/pair.js';

afterEach(() => endAll());

const refuse = (): never => {
  throw new Error('unreadable');
};

const VALUES: Readonly<Record<string, () => unknown>> = {
  'a proxy whose traps throw': () =>
    new Proxy(
      {},
      { get: refuse, has: refuse, ownKeys: refuse, getPrototypeOf: refuse, getOwnPropertyDescriptor: refuse },
    ),
  'a proxy that has every property and gives none': () => new Proxy({}, { get: refuse, has: () => true }),
  'a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  'an error with a getter that throws': () =>
    Object.defineProperty(new Error('x'), 'detail', { enumerable: true, get: refuse }),
  'an error whose message throws': () => Object.defineProperty(new Error('x'), 'message', { get: refuse }),
  'an error whose stack throws': () => Object.defineProperty(new Error('x'), 'stack', { get: refuse }),
  'an object whose toJSON throws': () => ({ toJSON: refuse }),
  'an exception of such an error': () =>
    new RpcException(Object.defineProperty(new Error('x'), 'detail', { enumerable: true, get: refuse })),
  'an exception that contains itself': () => {
    const exception = new RpcException('x');
    exception.getError = () => exception;
    return exception;
  },
};

/** The ways in which a handler gives a value away. */
const WAYS: Readonly<Record<string, (value: unknown) => unknown>> = {
  throws: (value) => {
    throw value;
  },
  'rejects with': (value) => Promise.reject(value),
  'returns an observable that fails with': (value) => throwError(() => value),
  'returns a generator that throws': async function* (value): AsyncGenerator<number> {
    yield 1;
    throw value;
  },
  returns: (value) => value,
  'returns an observable that emits': (value) => of(1, value),
};

const CASES = Object.keys(WAYS).flatMap((way) => Object.keys(VALUES).map((value) => ({ way, value })));

function give({ way, value }: (typeof CASES)[number]): unknown {
  return WAYS[way]?.(VALUES[value]?.());
}

@Controller()
class CarelessController {
  @MessagePattern('careless')
  careless(@Payload() choice: (typeof CASES)[number]): unknown {
    return give(choice);
  }

  @EventPattern('careless event')
  carelessEvent(@Payload() choice: (typeof CASES)[number]): unknown {
    return give(choice);
  }
}

async function startPlain(): Promise<Pick<Application, 'server' | 'client'>> {
  const server = await startServer();
  const handler = (choice: (typeof CASES)[number]): Promise<unknown> => new Promise((resolve) => resolve(give(choice)));
  server.addHandler('careless', handler);
  server.addHandler('careless event', handler, true);
  return { server, client: newClient(portOf(server)) };
}

const STARTS = [
  ['in Nest', () => startApplication({ controllers: [CarelessController] })],
  ['without Nest', startPlain],
] as const;

describe.each(STARTS)('a handler %s', (_where, start) => {
  it('answers the request and frees its place, whatever it throws, emits or returns', async () => {
    const { client, server } = await start();
    const answers = [];
    for (const choice of CASES) answers.push(await outcome(client.send('careless', choice)));
    expect(answers).toHaveLength(CASES.length);
    await expect.poll(() => server.snapshot().running).toBe(0);
  });

  it('of an event frees its place, whatever it throws, emits or returns', async () => {
    const { client, server } = await start();
    for (const choice of CASES) await arrived(client.emit('careless event', choice));
    await expect.poll(() => server.snapshot().running).toBe(0);
  });

  it('answers "Internal server error" for an exception that cannot be read', async () => {
    const { client } = await start();
    for (const value of ['an exception of such an error', 'an exception that contains itself'])
      expect(await outcome(client.send('careless', { way: 'throws', value }))).toMatchObject({
        status: 'error',
        message: 'Internal server error',
      });
  });
});

describe('a source of keys', () => {
  it.each(Object.keys(VALUES))(
    'fails the calls of a client with one server or several if it throws %s',
    async (value) => {
      const port = portOf(await startServer());
      const keyring = {
        get primary(): never {
          return WAYS['throws']?.(VALUES[value]?.()) as never;
        },
        find: () => undefined,
      };
      const servers = [1, 2].map(() => ({ host: '127.0.0.1', port }));
      for (const address of [{ port }, { servers }]) {
        const client = new SealwireClient({ ...address, keyring });
        endLater(client);
        await expect(lastValueFrom(client.send('echo', 1))).rejects.toBeDefined();
        await expect(lastValueFrom(client.emit('echo', 1))).rejects.toBeDefined();
      }
    },
  );
});

describe('a user serializer', () => {
  it.each(Object.keys(VALUES))('fails the request and the event when it throws %s', async (value) => {
    const serializer = { serialize: (): never => WAYS['throws']?.(VALUES[value]?.()) as never };
    const server = await startServer({ serializer });
    const refused = newClient(portOf(server));
    expect(await outcome(refused.send('echo', 1))).toMatchObject({ code: 'ERR_MESSAGE_UNSERIALIZABLE' });
    await expect.poll(() => server.snapshot().running).toBe(0);
    const client = newClient(portOf(server), { serializer });
    await expect(lastValueFrom(client.send('echo', 1))).rejects.toBeDefined();
    client.emit('echo', 1); // its failure is logged
    await expect(lastValueFrom(client.emit('echo', 1))).rejects.toBeDefined();
  });
});

describe('a user deserializer', () => {
  it.each(Object.keys(VALUES))('refuses the message when it throws %s', async (value) => {
    const deserializer = { deserialize: (): never => WAYS['throws']?.(VALUES[value]?.()) as never };
    const client = newClient(portOf(await startServer({ deserializer })));
    for (const call of [client.send('echo', 1), client.emit('echo', 1)])
      expect(await outcome(call)).toMatchObject({ code: 'ERR_MESSAGE_MALFORMED' });
  });
});
