// What a client may call with a key that has patterns, and what it learns about everything else.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import { Controller, Injectable, Logger, UseGuards, UseInterceptors, UsePipes } from '@nestjs/common';
import type { CanActivate, NestInterceptor, PipeTransform } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import type { SecretKey } from '@sealwire/crypto';
import { Keyring } from '@sealwire/crypto';
import type { ForbiddenMessage, SealwireClient, SealwireContext, SealwirePeer } from '@sealwire/transport';
import type { Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { arrived, outcome, startApplication } from '../support/application.js';
import { LiveKeys, newKey } from '../support/live-keys.js';
import { endAll, newClient, portOf } from '../support/pair.js';
import { channelClient, startChannelServer, text } from '../support/plain.js';

const FORBIDDEN = { code: 'ERR_FORBIDDEN', sent: false, message: 'This key may not call this pattern' };

/** Whatever of the application has run for a message. */
let ran: string[] = [];

beforeEach(() => {
  ran = [];
});

afterEach(() => endAll());

@Injectable()
class NotingGuard implements CanActivate {
  canActivate(): boolean {
    ran.push('guard');
    return true;
  }
}

@Injectable()
class NotingPipe implements PipeTransform {
  transform(value: unknown): unknown {
    ran.push('pipe');
    return value;
  }
}

@Injectable()
class NotingInterceptor implements NestInterceptor {
  intercept(_context: unknown, next: { handle: () => Observable<unknown> }): Observable<unknown> {
    ran.push('interceptor');
    return next.handle();
  }
}

@Controller()
@UseGuards(NotingGuard)
@UseInterceptors(NotingInterceptor)
@UsePipes(NotingPipe)
class LedgerController {
  @MessagePattern('billing.read')
  read(@Payload() value: unknown, @Ctx() context: SealwireContext): unknown {
    ran.push(context.getPattern());
    return value;
  }

  @MessagePattern('admin.delete')
  remove(@Ctx() context: SealwireContext): string {
    ran.push(context.getPattern());
    return 'deleted';
  }

  @MessagePattern({ cmd: 'sum', v: 1 })
  sum(@Ctx() context: SealwireContext): string {
    ran.push(context.getPattern());
    return 'summed';
  }

  @MessagePattern('who')
  who(@Ctx() context: SealwireContext): SealwirePeer {
    return context.getPeer();
  }

  @EventPattern('billing.noted')
  noted(@Ctx() context: SealwireContext): void {
    ran.push(context.getPattern());
  }

  @EventPattern('admin.purge')
  purge(@Ctx() context: SealwireContext): void {
    ran.push(context.getPattern());
  }
}

async function start(key: SecretKey, keys: LiveKeys = new LiveKeys(newKey(), key)) {
  const { server, client: owner } = await startApplication({
    controllers: [LedgerController],
    server: { keyring: keys },
    client: { keyring: Keyring.of(keys.primary) },
  });
  const entries: object[] = [];
  const add = (entry: unknown): void => void entries.push(JSON.parse(JSON.stringify(entry)) as object);
  Logger.overrideLogger({ log: add, warn: add, error: add });
  const client = newClient(portOf(server), { keyring: Keyring.of(key) });
  return { server, client, owner, keys, entries };
}

const billing = (): SecretKey => newKey({ label: 'billing', patterns: ['billing.*', 'who', '{"cmd":"sum","v":1}'] });

describe('a key with patterns', () => {
  it('may send the requests and events that they cover', async () => {
    const { client } = await start(billing());
    expect(await outcome(client.send('billing.read', 7))).toBe(7);
    expect(await outcome(client.send({ v: 1, cmd: 'sum' }, 7))).toBe('summed');
    await arrived(client.emit('billing.noted', 1));
    await expect.poll(() => ran).toContain('billing.noted');
  });

  it('gets ERR_FORBIDDEN for another request before a guard, an interceptor, a pipe or the handler runs', async () => {
    const { server, client } = await start(billing());
    expect(await outcome(client.send('admin.delete', 1))).toMatchObject(FORBIDDEN);
    expect(ran).toEqual([]);
    expect(server.snapshot()).toMatchObject({ requestsForbidden: 1, eventsForbidden: 0, running: 0, inFlight: 0 });
  });

  it('gets ERR_FORBIDDEN for another event, which no handler sees, and the emit reports it', async () => {
    const { server, client } = await start(billing());
    const lost: unknown[] = [];
    client.connectionEvents.subscribe((event) => {
      if (event.type === 'eventFailed') lost.push(event.error);
    });
    expect(await outcome(client.emit('admin.purge', 1))).toMatchObject(FORBIDDEN);
    await arrived(client.emit('billing.noted', 1)); // an event that came later is handed over
    expect(ran).toEqual(['guard', 'interceptor', 'pipe', 'billing.noted']);
    expect(lost).toMatchObject([FORBIDDEN]);
    expect(server.snapshot()).toMatchObject({ requestsForbidden: 0, eventsForbidden: 1 });
  });

  it('gets the same answer whether or not a handler exists, and nothing about labels and other keys', async () => {
    const { client } = await start(billing());
    const answers: unknown[] = [];
    for (const pattern of ['admin.delete', 'admin.none', 'admin.purge', '', { cmd: 'sum', v: 2 }]) {
      for (const failure of [await outcome(client.send(pattern, 1)), await outcome(client.emit(pattern, 1))]) {
        const { code, message, sent, cause } = failure as {
          code: string;
          message: string;
          sent: boolean;
          cause: unknown;
        };
        answers.push({ code, message, sent, cause });
      }
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(JSON.stringify(answers)).not.toContain('billing');
    expect(ran).toEqual([]);
  });

  it('is held to them also if a deserializer gives the message another pattern', async () => {
    const key = billing();
    const deserializer = { deserialize: (packet: object) => ({ ...packet, pattern: 'admin.delete' }) };
    const keyring = Keyring.of(key);
    const { client, server } = await startApplication({
      controllers: [LedgerController],
      server: { keyring, deserializer },
      client: { keyring },
    });
    expect(await outcome(client.send('billing.read', 1))).toMatchObject(FORBIDDEN);
    expect(await outcome(client.emit('billing.noted', 1))).toMatchObject(FORBIDDEN);
    expect(ran).toEqual([]);
    expect(server.snapshot()).toMatchObject({ requestsForbidden: 1, eventsForbidden: 1 });
  });

  it('has its new label and patterns from the next message on, without another connection', async () => {
    const key = billing();
    const { server, client, keys } = await start(key);
    expect(await outcome(client.send('admin.delete', 1))).toMatchObject(FORBIDDEN);
    keys.describe(key, { label: 'admin', patterns: ['admin.*', 'who'] });
    expect(await outcome(client.send('admin.delete', 1))).toBe('deleted');
    expect(await outcome(client.send('billing.read', 1))).toMatchObject(FORBIDDEN);
    expect(await outcome(client.send('who', 1))).toMatchObject({ label: 'admin' });
    expect(server.snapshot()).toMatchObject({
      accepted: 1,
      connectionsByKey: [{ keyId: key.id, label: 'admin', connections: 1 }],
    });
  });

  it('is logged with its id and label once a second for each key, and published, without hiding another key', async () => {
    const [one, other] = [billing(), newKey({ label: 'audit\n', patterns: [] })];
    const published: ForbiddenMessage[] = [];
    const note = (message: unknown): void => void published.push(message as ForbiddenMessage);
    subscribe('sealwire:server:call:forbidden', note);
    onTestFinished(() => void unsubscribe('sealwire:server:call:forbidden', note));
    const { server, client, entries } = await start(one, new LiveKeys(newKey(), one, other));
    const second = newClient(portOf(server), { keyring: Keyring.of(other) });
    for (let count = 0; count < 20; count++) await outcome(client.send('admin.delete', 1));
    await outcome(second.emit('ev\nil', 1));
    await Promise.all([client.close(), second.close()]);
    await server.close(); // writes the entries that are held back
    const forbidden = entries.filter((entry) => 'kind' in entry && entry.kind === 'forbidden');
    const ofOther = forbidden.filter((entry) => 'keyId' in entry && entry.keyId === other.id);
    expect(forbidden.length).toBeLessThan(20);
    expect(forbidden[0]).toMatchObject({
      message: expect.stringContaining(
        `Refused a request for admin.delete: key ${one.id} (billing) is not allowed`,
      ) as string,
      keyId: one.id,
      label: 'billing',
      code: 'ERR_FORBIDDEN',
      pattern: 'admin.delete',
    });
    expect(ofOther).toMatchObject([
      {
        message: `Refused an event for ev\\nil: key ${other.id} (audit\\n) is not allowed to call this pattern (ERR_FORBIDDEN)`,
      },
    ]);
    expect(published).toHaveLength(21);
    expect(published[0]).toMatchObject({ kind: 'request', pattern: 'admin.delete', keyId: one.id, label: 'billing' });
    expect(published[20]).toMatchObject({
      kind: 'event',
      pattern: 'ev\nil',
      keyId: other.id,
      instanceId: expect.any(String) as string,
    });
  });
});

describe('a key without patterns', () => {
  it('may call every pattern', async () => {
    const { owner } = await start(billing());
    expect(await outcome(owner.send('admin.delete', 1))).toBe('deleted');
    expect(await outcome(owner.send('none', 1))).toBe(
      'There is no matching message handler defined in the remote service.',
    );
  });
});

describe('the peer of a message', () => {
  it('has the id and the label of its key, its address, and the instance id of the log', async () => {
    const key = billing();
    const { server, client, owner, entries, keys } = await start(key);
    const opened: object[] = [];
    server.connectionEvents.subscribe((event) => void opened.push(event));
    const peer = (await outcome(client.send('who', 1))) as SealwirePeer;
    expect(peer).toEqual({
      keyId: key.id,
      label: 'billing',
      address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      instanceId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
    expect(opened[0]).toEqual({ type: 'opened', ...peer });
    expect(entries[0]).toMatchObject({ kind: 'connected', ...peer });
    expect(await outcome(owner.send('who', 1))).toMatchObject({ keyId: keys.primary.id });
    expect(await outcome(owner.send('who', 1))).not.toHaveProperty('label');
  });
});

/** The texts that a holder of a key with `allowed` tries, in the hope that one reaches another handler. */
const TRIED: readonly [string, readonly string[], readonly unknown[]][] = [
  [
    'an exact pattern',
    ['billing.read'],
    [
      'billing.read ',
      ' billing.read',
      'billing.readx',
      'billing.rea',
      'Billing.read',
      'billing.read\0',
      '﻿billing.read',
    ],
  ],
  ['a prefix', ['billing.*'], ['billing', 'billin', 'admin.billing.', '*', 'Billing.read', 'b*', 'billing\u200b.read']],
  ['a prefix of unicode', ['caf\u00e9.*'], ['cafe\u0301.read', 'cafe.read', 'CAF\u00c9.read', 'caf']],
  [
    'an object',
    ['{"cmd":"sum","v":1}'],
    [
      { cmd: 'sum' },
      { cmd: 'sum', v: 2 },
      { cmd: 'sum', v: '1' },
      { cmd: 'sum', v: 1, w: 1 },
      '{"v":1,"cmd":"sum"}',
      '{"cmd": "sum","v":1}',
    ],
  ],
  ['no pattern', [], ['', '*', 'billing.read', { cmd: 'sum', v: 1 }, 7]],
  ['only an empty pattern', [''], ['*', 'billing.read', {}, 0]],
  ['names of object members', ['constructor'], ['__proto__', 'toString', 'constructor.name']],
];

describe('the holder of a key for', () => {
  it.each(TRIED)(
    '%s gets ERR_FORBIDDEN for every other text, as a request and as an event',
    async (_, patterns, tried) => {
      const { client } = await start(newKey({ patterns }));
      for (const pattern of tried) {
        expect(await outcome(client.send(pattern, 1)), `request ${JSON.stringify(pattern)}`).toMatchObject(FORBIDDEN);
        expect(await outcome(client.emit(pattern, 1)), `event ${JSON.stringify(pattern)}`).toMatchObject(FORBIDDEN);
      }
      expect(ran).toEqual([]);
    },
  );

  it('events cannot send another event as a request, nor a request as an event', async () => {
    const { client } = await start(newKey({ patterns: ['billing.noted'] }));
    expect(await outcome(client.send('admin.purge', 1))).toMatchObject(FORBIDDEN);
    expect(await outcome(client.emit('admin.delete', 1))).toMatchObject(FORBIDDEN);
    expect(ran).toEqual([]);
  });

  it.each(['*', 'bill*'])('%s may call what begins with the text before the star', async (pattern) => {
    const { client } = await start(newKey({ patterns: [pattern] }));
    expect(await outcome(client.send('billing.read', 1))).toBe(1);
  });
});

describe('a channel server without Nest', () => {
  it('refuses requests and events that the key may not send, and its handler gets the label of the others', async () => {
    const key = newKey({ label: 'billing', patterns: ['billing.*'] });
    const served: unknown[] = [];
    const port = await startChannelServer(
      ({ pattern, peer: { label, keyId, instanceId } }) => {
        served.push({ pattern, label, keyId, instanceId });
        return Buffer.from('done');
      },
      { keyring: Keyring.of(key) },
    );
    const client = channelClient(port, { keyring: Keyring.of(key) });
    const bytes = Buffer.from('x');
    await expect(client.request('admin.delete', bytes)).rejects.toMatchObject(FORBIDDEN);
    await expect(client.emit('admin.purge', bytes)).rejects.toMatchObject(FORBIDDEN);
    expect(text(await client.request('billing.read', bytes))).toBe('done');
    await client.emit('billing.noted', bytes);
    const names = { label: 'billing', keyId: key.id, instanceId: expect.stringMatching(/^[0-9a-f]{32}$/) as string };
    expect(served).toEqual([
      { pattern: 'billing.read', ...names },
      { pattern: 'billing.noted', ...names },
    ]);
  });
});

describe('a source of keys that returns a key', () => {
  it.each<[string, object, RegExp]>([
    [
      'with patterns that are a text',
      { patterns: 'billing.*' },
      /find\(\)\.patterns is of type string; it must be an array of strings/,
    ],
    ['with a pattern that is a number', { patterns: [7] }, /find\(\)\.patterns/],
    ['with patterns that are null', { patterns: null }, /find\(\)\.patterns/],
    ['with a label that is a number', { label: 7 }, /find\(\)\.label/],
  ])('%s refuses its client, and the log names the mistake', async (_, wrong, reason) => {
    const key = newKey();
    const found = { id: key.id, idBytes: key.idBytes, psk: () => key.psk(), ...wrong } as unknown as SecretKey;
    const { server, client } = await startApplication({
      server: { keyring: { primary: key, find: () => found } },
      client: { keyring: Keyring.of(key) },
    });
    const errors: string[] = [];
    server.connectionEvents.subscribe((event) => {
      if (event.type === 'refused') errors.push(`${event.error.code} ${event.error.message}`);
    });
    expect(await outcome((client satisfies SealwireClient).send('echo', 1))).toMatchObject({ code: 'ERR_ALERT' });
    expect(errors).toEqual([expect.stringMatching(reason)]);
    expect(errors[0]).toContain('ERR_BAD_OPTION');
  });
});
