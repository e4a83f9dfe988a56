// What a client does with its open connections when its own keys change.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import type { ChannelClient, ClientConnectionEvent } from '@sealwire/channel';
import type { SecretKey } from '@sealwire/crypto';
import type { SealwireServer } from '@sealwire/transport';
import { firstValueFrom, Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { LiveKeys, newKey } from '../support/live-keys.js';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';
import { channelClient } from '../support/plain.js';

let release: Subject<boolean>;
let old: SecretKey;
let next: SecretKey;
let serverKeys: LiveKeys;
let clientKeys: LiveKeys;
let server: SealwireServer;

beforeEach(async () => {
  release = new Subject();
  old = newKey({ label: 'old' });
  next = newKey({ label: 'next' });
  serverKeys = new LiveKeys(old, next);
  clientKeys = new LiveKeys(old, next);
  server = await startServer({ keyring: serverKeys });
  server.addHandler('hold', async (data: unknown) => {
    await firstValueFrom(release);
    return data;
  });
});

afterEach(async () => {
  release.next(true);
  await endAll();
});

/** One of the two clients, as these tests use it. */
interface Caller {
  readonly events: ClientConnectionEvent[];
  readonly call: (pattern: string) => Promise<unknown>;
}

const REDIAL = { minMs: 5, maxMs: 20, inBackground: false };

function sealwireClient(): Caller {
  const client = newClient(portOf(server), { keyring: clientKeys, redial: REDIAL });
  const events: ClientConnectionEvent[] = [];
  client.connectionEvents.subscribe((event) => events.push(event));
  return { events, call: (pattern) => firstValueFrom(client.send(pattern, 'x')) };
}

function plainClient(): Caller {
  const events: ClientConnectionEvent[] = [];
  const options = { keyring: clientKeys, redial: REDIAL };
  const client: ChannelClient = channelClient(portOf(server), options, {
    onConnectionEvent: (event) => events.push(event),
  });
  const call = async (pattern: string): Promise<unknown> => {
    const answer = await client.request(pattern, Buffer.from('"x"'));
    return JSON.parse(answer.toString()) as unknown;
  };
  return { events, call };
}

const typesOf = ({ events }: Caller): readonly string[] => events.map(({ type }) => type);

/** The connections by the label of their key. */
function connections(): Readonly<Record<string, number>> {
  const { connectionsByKey } = server.snapshot();
  return Object.fromEntries(connectionsByKey.map((one) => [one.label, one.connections]));
}

describe.each([
  ['SealwireClient', sealwireClient],
  ['ChannelClient', plainClient],
])('a %s whose keys change', (_name, connect) => {
  let caller: Caller;

  beforeEach(() => {
    caller = connect();
  });

  it('opens a connection with the new primary key first; running calls finish on the old one', async () => {
    expect(await caller.call('echo')).toBe('x');
    const held = caller.call('hold');
    await expect.poll(() => server.snapshot().running).toBe(1);
    clientKeys.use(next);
    await expect.poll(connections).toEqual({ old: 1, next: 1 });
    await expect.poll(() => typesOf(caller)).toEqual(['connecting', 'connected', 'renewed']);
    expect(await caller.call('echo')).toBe('x');
    release.next(true);
    expect(await held).toBe('x');
    await expect.poll(connections).toEqual({ next: 1 });
    expect(server.snapshot()).toMatchObject({ accepted: 2, connectionsFailed: 0 });
  });

  it('stays on the old connection, and tries again, until the server has the new key', async () => {
    serverKeys.remove(next);
    expect(await caller.call('echo')).toBe('x');
    clientKeys.use(next);
    await expect.poll(() => typesOf(caller).filter((type) => type === 'renewalFailed').length).toBeGreaterThan(2);
    expect(await caller.call('echo')).toBe('x');
    expect(connections()).toEqual({ old: 1 });
    serverKeys.add(next);
    await expect.poll(connections).toEqual({ next: 1 });
    expect(await caller.call('echo')).toBe('x');
  });

  it('keeps a connection that has the primary key already', async () => {
    expect(await caller.call('echo')).toBe('x');
    clientKeys.use(old);
    clientKeys.remove(next);
    expect(await caller.call('echo')).toBe('x');
    expect(server.snapshot().accepted).toBe(1);
    expect(typesOf(caller)).toEqual(['connecting', 'connected']);
  });

  it('destroys the connection of a revoked key immediately, and connects with the primary one', async () => {
    expect(await caller.call('echo')).toBe('x');
    const held = caller.call('hold').catch((error: unknown) => error);
    await expect.poll(() => server.snapshot().running).toBe(1);
    clientKeys.primary = next;
    clientKeys.revoke(old);
    expect(typesOf(caller)).toEqual(['connecting', 'connected', 'disconnected', 'connecting']);
    expect(caller.events[2]).toMatchObject({ error: { code: 'ERR_KEY_REVOKED' } });
    expect(await held).toMatchObject({ code: 'ERR_KEY_REVOKED', sent: true });
    await expect.poll(connections).toEqual({ next: 1 });
    expect(await caller.call('echo')).toBe('x');
    expect(server.snapshot().accepted).toBe(2);
  });

  it('renews a connection whose dial began with the old key', async () => {
    serverKeys.onFind = () => {
      serverKeys.onFind = () => undefined;
      clientKeys.use(next);
    };
    expect(await caller.call('echo')).toBe('x');
    await expect.poll(connections).toEqual({ next: 1 });
    expect(server.snapshot().accepted).toBe(2);
  });

  it.each(['remove', 'revoke'] as const)(
    'dials again if the server refuses the old key meanwhile: %s',
    async (verb) => {
      serverKeys.onFind = () => {
        serverKeys.onFind = () => undefined;
        clientKeys.use(next);
        clientKeys[verb](old);
        serverKeys[verb](old);
      };
      expect(await caller.call('echo')).toBe('x');
      expect(connections()).toEqual({ next: 1 });
      expect(typesOf(caller)).toEqual(['connecting', 'connected']);
    },
  );

  it('does not use a connection that was opened with a key that was revoked meanwhile', async () => {
    serverKeys.onFind = () => {
      serverKeys.onFind = () => undefined;
      clientKeys.primary = next;
      clientKeys.revoke(old);
    };
    expect(await caller.call('echo')).toBe('x');
    expect(typesOf(caller)).toEqual(['connecting', 'connected']);
    await expect.poll(connections).toEqual({ next: 1 });
  });

  it.each(Array.from({ length: 16 }, (_, microtasks) => microtasks))(
    'does not use a connection whose key is revoked %i microtasks after it was opened',
    async (microtasks) => {
      const opened = 'sealwire:client:connection:opened';
      const revoke = async (): Promise<void> => {
        unsubscribe(opened, onOpened);
        for (let left = microtasks; left > 0; left -= 1) await Promise.resolve();
        clientKeys.primary = next;
        clientKeys.revoke(old);
      };
      const onOpened = (): void => void revoke();
      subscribe(opened, onOpened);
      const first = await caller.call('echo').catch((error: unknown) => error);
      if (first !== 'x') expect(first).toMatchObject({ code: 'ERR_KEY_REVOKED' });
      expect(await caller.call('echo')).toBe('x');
      await expect.poll(connections).toEqual({ next: 1 });
    },
  );
});
