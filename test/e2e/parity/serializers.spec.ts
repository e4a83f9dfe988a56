// Serializers and deserializers of the user, which work on packets: synchronous or not, in order, and free to fail.
import { setTimeout as delay } from 'node:timers/promises';

import { Controller } from '@nestjs/common';
import {
  EventPattern,
  IncomingRequestDeserializer,
  IncomingResponseDeserializer,
  MessagePattern,
  Payload,
} from '@nestjs/microservices';
import type { Deserializer, Serializer } from '@nestjs/microservices';
import type { SealwireClientOptions, SealwireServerOptions } from '@sealwire/transport';
import { of } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { all, arrived, outcome, startApplication } from '../../support/application.js';
import { endAll, newClient, portOf } from '../../support/pair.js';

afterEach(() => endAll());

let seen: unknown[] = [];

beforeEach(() => {
  seen = [];
});

@Controller()
class SeeingController {
  @MessagePattern('echo')
  echo(@Payload() value: unknown): unknown {
    seen.push(value);
    return value;
  }

  @MessagePattern('count')
  count(): Observable<number> {
    return of(1, 2, 3, 4, 5);
  }

  @MessagePattern('v1.echo')
  versioned(@Payload() value: unknown): string {
    return `v1 ${String(value)}`;
  }

  @EventPattern('noted')
  noted(@Payload() value: unknown): void {
    seen.push(value);
  }
}

async function start(server: Partial<SealwireServerOptions>, client: Partial<SealwireClientOptions> = {}) {
  const application = await startApplication({ controllers: [SeeingController], server });
  return newClient(portOf(application.server), client);
}

interface Packet {
  readonly pattern?: unknown;
  readonly data?: unknown;
  readonly response?: unknown;
}

/** Changes one field of packets that have it, later for some than for others. */
function changing(field: keyof Packet, change: (value: unknown) => unknown, delayMs?: () => number) {
  const apply = (packet: Packet): Packet =>
    packet[field] === undefined ? packet : { ...packet, [field]: change(packet[field]) };
  const run = (packet: Packet): Packet | Promise<Packet> =>
    delayMs === undefined ? apply(packet) : delay(delayMs(), apply(packet));
  return { serialize: run, deserialize: run } as Serializer & Deserializer;
}

/** 8, 4, 0, 8, 4, 0 … ms: a value that does not wait for the previous one overtakes it. */
function shrinking(): () => number {
  let calls = 0;
  return () => 8 - (calls++ % 3) * 4;
}

const add = (what: string) => (value: unknown) => `${String(value)}${what}`;

describe.each([
  ['synchronous', undefined],
  ['asynchronous', shrinking],
])('%s serializers and deserializers', (_what, delays) => {
  it('see every packet in both directions', async () => {
    const client = await start(
      { deserializer: changing('data', add('2'), delays?.()), serializer: changing('response', add('3'), delays?.()) },
      { serializer: changing('data', add('1'), delays?.()), deserializer: changing('response', add('4'), delays?.()) },
    );
    expect(await outcome(client.send('echo', '0'))).toBe('01234');
    await arrived(client.emit('noted', '0'));
    expect(seen).toEqual(['012', '012']);
  });

  it('keep requests and events in order towards the server', async () => {
    const [serializer, deserializer] = [changing('data', Number, delays?.()), changing('data', Number, delays?.())];
    const client = await start({ deserializer }, { serializer });
    const calls = Array.from({ length: 12 }, (_, i) =>
      i % 4 === 3 ? arrived(client.emit('noted', i)) : outcome(client.send('echo', i)),
    );
    await Promise.all(calls);
    expect(seen).toEqual(Array.from({ length: 12 }, (_, i) => i));
  });

  it('keep the values of an answer in order towards the client', async () => {
    const [serializer, deserializer] = [
      changing('response', Number, delays?.()),
      changing('response', Number, delays?.()),
    ];
    const client = await start({ serializer }, { deserializer });
    expect(await all(client.send('count', 0))).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('a serializer', () => {
  it('of the client may choose another pattern', async () => {
    const client = await start({}, { serializer: changing('pattern', (pattern) => `v1.${String(pattern)}`) });
    expect(await outcome(client.send('echo', 1))).toBe('v1 1');
  });

  it('distinguishes requests from events by the id, which Nest gives only to requests', async () => {
    const ids: unknown[] = [];
    const serializer: Serializer = { serialize: (packet: object) => (ids.push('id' in packet), packet) };
    const deserializer: Deserializer = { deserialize: (packet: object) => (ids.push('id' in packet), packet) };
    const client = await start({ deserializer }, { serializer });
    await outcome(client.send('echo', 1));
    await arrived(client.emit('noted', 1));
    expect(ids).toEqual([true, true, false, false]);
  });

  const isPublic = typeof IncomingRequestDeserializer === 'function';

  it.skipIf(!isPublic)('and a deserializer may be those that Nest 12 exports', async () => {
    const client = await start(
      { deserializer: new IncomingRequestDeserializer() },
      { deserializer: new IncomingResponseDeserializer() },
    );
    expect(await all(client.send('echo', { response: 1 }))).toEqual([{ response: 1 }]);
    expect(await all(client.send('count', 0))).toEqual([1, 2, 3, 4, 5]);
    expect(await outcome(client.send('no such', 0))).toMatch(/no matching message handler/);
  });
});

const boom = new Error('boom');
const throwing = { serialize: () => raise(), deserialize: () => raise() };
const rejecting = { serialize: () => Promise.reject(boom), deserialize: () => Promise.reject(boom) };

function raise(): never {
  throw boom;
}

describe.each([
  ['throws', throwing],
  ['rejects', rejecting],
])('a packet that fails because it %s', (_how, failing) => {
  it('at the client fails the call with that error', async () => {
    const serializing = await start({}, { serializer: failing as never });
    expect(await outcome(serializing.send('echo', 1))).toBe(boom);
    expect(await outcome(serializing.emit('noted', 1))).toBe(boom);
    const deserializing = await start({}, { deserializer: failing as never });
    expect(await outcome(deserializing.send('echo', 1))).toBe(boom);
  });

  it('at the server fails the call with a code, so that the caller does not hang', async () => {
    const deserializing = await start({ deserializer: failing as never });
    expect(await outcome(deserializing.send('echo', 1))).toMatchObject({ code: 'ERR_MESSAGE_MALFORMED' });
    expect(await outcome(deserializing.emit('noted', 1))).toMatchObject({ code: 'ERR_MESSAGE_MALFORMED', sent: false });
    const serializing = await start({ serializer: failing as never });
    expect(await outcome(serializing.send('echo', 1))).toMatchObject({ code: 'ERR_MESSAGE_UNSERIALIZABLE' });
    expect(seen).toEqual([1]);
  });
});
