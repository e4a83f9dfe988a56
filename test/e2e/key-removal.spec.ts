// What happens to open connections when the keys of a server change.
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { Keyring } from '@sealwire/crypto';
import type { KeySource, SecretKey } from '@sealwire/crypto';
import type { SealwireClient, SealwireContext, SealwireServer, ServerConnectionEvent } from '@sealwire/transport';
import { filter, firstValueFrom, Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { newServer, outcome, startApplication } from '../support/application.js';
import { LiveKeys, newKey } from '../support/live-keys.js';
import { endAll, endLater, listen, newClient, portOf, startServer } from '../support/pair.js';
import { channelClient, startPlainServer } from '../support/plain.js';

/** Longer than every test: a connection that waits for it would fail the test. */
const NEVER_MS = 600_000;

let release: Subject<string>;
let aborted: string[];
let kept: SecretKey;
let leaving: SecretKey;
let keys: LiveKeys;

beforeEach(() => {
  release = new Subject();
  aborted = [];
  kept = newKey({ label: 'kept' });
  leaving = newKey({ label: 'leaving' });
  keys = new LiveKeys(kept, leaving);
});

afterEach(async () => {
  release.next('the end');
  await endAll();
});

@Controller()
class HoldingController {
  @MessagePattern('hold')
  hold(@Payload() name: string, @Ctx() context: SealwireContext): Promise<string> {
    context.getSignal().addEventListener('abort', () => aborted.push(name));
    return firstValueFrom(release);
  }

  @MessagePattern('echo')
  echo(@Payload() value: unknown): unknown {
    return value;
  }
}

async function start(drainMs = NEVER_MS) {
  const timeouts = { drainMs };
  const { server } = await startApplication({
    controllers: [HoldingController],
    server: { keyring: keys, timeouts },
    client: { keyring: Keyring.of(kept) },
  });
  const client = (key: SecretKey): SealwireClient =>
    newClient(portOf(server), { keyring: Keyring.of(key), timeouts: { drainMs: NEVER_MS } });
  const [stays, leaves] = [client(kept), client(leaving)];
  await Promise.all([stays.connect(), leaves.connect()]);
  return { server, stays, leaves };
}

type Closed = Extract<ServerConnectionEvent, { type: 'closed' }>;

function closedOf(server: SealwireServer, key: SecretKey): Promise<Closed> {
  const isClosed = (event: ServerConnectionEvent): event is Closed => event.type === 'closed' && event.keyId === key.id;
  return firstValueFrom(server.connectionEvents.pipe(filter(isClosed)));
}

function runs(server: SealwireServer, count: number): Promise<void> {
  return expect.poll(() => server.snapshot().running).toBe(count);
}

describe('a connection with a removed key', () => {
  it('finishes the running call, takes no other one, and is closed by both ends; other keys go on', async () => {
    const { server, stays, leaves } = await start();
    const held = outcome(leaves.send('hold', 'held'));
    await runs(server, 1);
    const draining = firstValueFrom(leaves.connectionEvents.pipe(filter(({ type }) => type === 'draining')));
    const closed = closedOf(server, leaving);
    keys.remove(leaving);
    await draining;
    expect(await outcome(leaves.send('echo', 1))).toMatchObject({ code: 'ERR_ALERT', sent: false });
    expect(server.snapshot().connectionsByKey).toEqual([
      { keyId: kept.id, label: 'kept', connections: 1 },
      { keyId: leaving.id, label: 'leaving', connections: 1 },
    ]);
    release.next('done');
    expect(await held).toBe('done');
    expect((await closed).error).toBeUndefined();
    expect(await outcome(stays.send('echo', 1))).toBe(1);
    expect(server.snapshot()).toMatchObject({ accepted: 2, connections: 1 });
  });

  it('is closed at the drain deadline if a call does not end', async () => {
    const { server, leaves } = await start(1_000);
    const held = outcome(leaves.send('hold', 'held'));
    await runs(server, 1);
    const closed = closedOf(server, leaving);
    const startMs = performance.now();
    keys.remove(leaving);
    expect(await held).toMatchObject({ code: 'ERR_STREAM_CUT' });
    await closed;
    expect(performance.now() - startMs).toBeGreaterThan(900);
    expect(aborted).toEqual(['held']);
  });

  it('is destroyed immediately if the key is revoked while it drains', async () => {
    const { server, leaves } = await start();
    const held = outcome(leaves.send('hold', 'held'));
    await runs(server, 1);
    const closed = closedOf(server, leaving);
    keys.remove(leaving);
    keys.revoke(leaving);
    expect((await closed).error?.code).toBe('ERR_KEY_REVOKED');
    expect(await held).toMatchObject({ sent: true });
  });

  it('that is added again with other patterns is held to them while it drains', async () => {
    const { server, leaves } = await start();
    const held = outcome(leaves.send('hold', 'held'));
    await runs(server, 1);
    keys.remove(leaving);
    keys.add(leaving);
    keys.describe(leaving, { label: 'back', patterns: ['echo'] });
    expect(server.snapshot().connectionsByKey).toContainEqual({ keyId: leaving.id, label: 'back', connections: 1 });
    expect(await outcome(leaves.send('echo', 1))).toBe(1);
    expect(await outcome(leaves.send('hold', 'x'))).toMatchObject({ code: 'ERR_FORBIDDEN' });
    release.next('done');
    expect(await held).toBe('done');
  });
});

describe('a revoked key under load', () => {
  it('loses every connection within a second and is refused from then on, and no call of another key fails', async () => {
    const { server, stays, leaves } = await start();
    const leavers = [leaves, newClient(portOf(server), { keyring: Keyring.of(leaving) })];
    const call = (client: SealwireClient, value: number): Promise<unknown> => outcome(client.send('echo', value));
    const end = new AbortController();
    const failures: unknown[] = [];
    let answered = 0;
    const load = Array.from({ length: 20 }, async () => {
      for (let value = 0; !end.signal.aborted; value++) {
        const answer = await call(stays, value);
        if (answer === value) answered += 1;
        else failures.push(answer);
      }
    });
    await Promise.all(leavers.map((client) => call(client, 0)));
    const held = leavers.map((client) => outcome(client.send('hold', 'held')));
    await runs(server, 2);
    const sent = leavers.flatMap((client) => Array.from({ length: 50 }, (_, value) => call(client, value)));

    const codes: unknown[] = [];
    server.connectionEvents.subscribe((event) => {
      if (event.type === 'closed') codes.push(event.error?.code);
    });
    const startMs = performance.now();
    keys.revoke(leaving);
    const tookMs = performance.now() - startMs;
    expect(codes).toEqual(['ERR_KEY_REVOKED', 'ERR_KEY_REVOKED']); // before revoke() has returned
    expect(tookMs).toBeLessThan(1_000);
    expect(aborted).toEqual(['held', 'held']);
    for (const answer of await Promise.all(held)) expect(answer).toMatchObject({ sent: true });
    await Promise.all(sent);
    for (const client of leavers) expect(await call(client, 1)).toMatchObject({ code: 'ERR_ALERT', sent: false });
    const before = answered;
    await expect.poll(() => answered).toBeGreaterThan(before + 20);
    end.abort();
    await Promise.all(load);
    expect(failures).toEqual([]);
    expect(server.snapshot()).toMatchObject({ connections: 1, connectionsByKey: [{ keyId: kept.id }] });
  });

  it('loses its connections also while the server closes', async () => {
    const { server, leaves } = await start();
    const held = outcome(leaves.send('hold', 'held'));
    await runs(server, 1);
    const closed = closedOf(server, leaving);
    const closing = server.close();
    keys.revoke(leaving);
    expect((await closed).error?.code).toBe('ERR_KEY_REVOKED');
    expect(await held).toMatchObject({ sent: true });
    await closing;
    expect(keys.listenerCount).toBe(0);
  });

  it('runs no further handler of a record if a handler has revoked it', async () => {
    const served: string[] = [];
    const answer = ({ pattern }: { pattern: string }): Uint8Array => {
      served.push(pattern);
      if (pattern !== 'warm') keys.revoke(leaving);
      return Buffer.alloc(1);
    };
    const { port } = await startPlainServer(answer, { keyring: keys });
    const client = channelClient(port, { keyring: Keyring.of(leaving) });
    await client.request('warm', Buffer.alloc(1));
    const calls = ['first', 'second', 'third'].map((pattern) => client.request(pattern, Buffer.alloc(1)));
    for (const result of await Promise.allSettled(calls)) expect(result.status).toBe('rejected');
    expect(served).toEqual(['warm', 'first']);
  });
});

describe('a server', () => {
  it('watches its source while it listens, and no longer', async () => {
    const server = newServer({ keyring: keys });
    endLater(server);
    expect(keys.listenerCount).toBe(0);
    for (let count = 0; count < 2; count++) {
      await listen(server);
      expect(keys.listenerCount).toBe(1);
      await server.close();
      expect(keys.listenerCount).toBe(0);
    }
  });

  it('does not watch its source after a failed listen, or one that was closed meanwhile', async () => {
    const taken = await startServer();
    const failing = newServer({ keyring: keys, port: portOf(taken) });
    await expect(listen(failing)).rejects.toMatchObject({ code: 'ERR_LISTEN_FAILED' });
    expect(keys.listenerCount).toBe(0);
    const closed = newServer({ keyring: keys });
    const listening = listen(closed);
    await Promise.all([expect(listening).rejects.toMatchObject({ code: 'ERR_LISTEN_FAILED' }), closed.close()]);
    expect(keys.listenerCount).toBe(0);
  });

  it('keeps the connections of a source that reports no changes', async () => {
    let accepted: readonly SecretKey[] = [kept];
    const find: KeySource['find'] = (id) => accepted.find((key) => Buffer.from(key.idBytes).equals(Buffer.from(id)));
    const server = await startServer({ keyring: { primary: kept, find } });
    const client = newClient(portOf(server), { keyring: Keyring.of(kept) });
    expect(await outcome(client.send('echo', 1))).toBe(1);
    accepted = [];
    expect(await outcome(client.send('echo', 2))).toBe(2);
    expect(server.snapshot()).toMatchObject({ accepted: 1, connections: 1 });
  });

  it.each<[string, () => unknown, RegExp]>([
    ['is not a function', () => 'often', /keyring\.onChange is of type string; it must be a function/],
    [
      'returns nothing',
      () => () => undefined,
      /onChange\(\) is missing; it must be a function that removes the listener/,
    ],
  ])('does not listen if onChange of its source %s', async (_, onChange, message) => {
    const keyring = { primary: kept, find: () => kept, onChange: onChange() } as unknown as KeySource;
    const server = newServer({ keyring });
    await expect(listen(server)).rejects.toMatchObject({
      code: 'ERR_BAD_OPTION',
      message: expect.stringMatching(message) as string,
    });
  });

  it('throws ERR_BAD_OPTION to a source whose change has no list of revoked keys', async () => {
    let report: (change: unknown) => void = () => undefined;
    const onChange = (listener: (change: never) => void) => {
      report = listener as (change: unknown) => void;
      return () => undefined;
    };
    await startServer({ keyring: { primary: kept, find: () => kept, onChange } });
    const change = { added: [], removed: [], updated: [], primaryChanged: false, primary: kept.id };
    expect(() => report(change)).toThrowError(
      /keyring\.onChange\(\) reported a change whose `revoked` is missing; it must be an array/,
    );
  });
});
