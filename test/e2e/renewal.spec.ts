// Sessions that are renewed, as callers and operators see them: docs/protocol.md §5.11.
import { Controller, Logger } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import type { KeySource } from '@sealwire/crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { filter, firstValueFrom, Subject, take, toArray } from 'rxjs';
import type { Observable } from 'rxjs';

import type { ClientConnectionEvent, SealwireClient } from '@sealwire/transport';
import { EchoController, listenToWarnings, startApplication } from '../support/application.js';
import { endAll, keyring, newKeyring } from '../support/pair.js';

let ticks = new Subject<number>();

@Controller()
class TickController {
  @MessagePattern('ticks')
  ticks(): Observable<number> {
    return ticks;
  }
}

const controllers = [EchoController, TickController];

beforeEach(() => {
  ticks = new Subject();
});

afterEach(async () => {
  await endAll();
  Logger.overrideLogger(false);
});

const echo = (client: SealwireClient, word: unknown): Promise<unknown> => firstValueFrom(client.send('echo', word));

/** Resolves with so many events of one type. */
function next(client: SealwireClient, wanted: ClientConnectionEvent['type'], count = 1) {
  return firstValueFrom(
    client.connectionEvents.pipe(
      filter(({ type }) => type === wanted),
      take(count),
      toArray(),
    ),
  );
}

describe('a client that renews its sessions', () => {
  it('loses no call over several renewals, and remains connected [R5.17, R5.36]', async () => {
    const { client } = await startApplication({ controllers, client: { timeouts: { sessionSoftAgeMs: 20 } } });
    const warnings = listenToWarnings();
    await client.connect();
    const statuses: string[] = [];
    client.status.subscribe((status) => statuses.push(status));
    const events: string[] = [];
    client.connectionEvents.subscribe(({ type }) => events.push(type));
    while (events.length < 4) {
      const words = Array.from({ length: 20 }, (_, index) => index);
      expect(await Promise.all(words.map((word) => echo(client, word)))).toEqual(words);
    }
    expect(new Set(events)).toEqual(new Set(['renewed']));
    expect(statuses).toEqual(['connected']);
    expect(client.snapshot().connected).toBeGreaterThanOrEqual(5);
    expect(warnings).toEqual([]);
  });

  it('sends a call over the new connection if it was renewed while the packet was serialized', async () => {
    const release = new Subject<void>();
    let isSlow = false;
    const serialize = async (packet: unknown): Promise<unknown> => {
      if (isSlow) await firstValueFrom(release);
      return packet;
    };
    const { client } = await startApplication({
      controllers,
      client: { serializer: { serialize }, timeouts: { sessionSoftAgeMs: 200 } },
    });
    await client.connect();
    isSlow = true;
    const answer = echo(client, 'x');
    await next(client, 'renewed');
    isSlow = false;
    release.next();
    expect(await answer).toBe('x');
  });

  it('cuts no stream: one that continues stays on the old connection until it ends [R5.28]', async () => {
    const drainMs = 0;
    const { client, server } = await startApplication({
      controllers,
      client: { timeouts: { sessionSoftAgeMs: 20, drainMs } },
      server: { timeouts: { drainMs } },
    });
    const values = firstValueFrom(client.send('ticks', 0).pipe(toArray()));
    await next(client, 'renewed', 2);
    await expect.poll(() => server.snapshot().connections).toBe(2); // the one in between has ended
    for (let tick = 1; tick <= 3; tick++) ticks.next(tick);
    ticks.complete();
    expect(await values).toEqual([1, 2, 3]);
    await expect.poll(() => client.snapshot().connections).toBeLessThanOrEqual(2);
  });

  it('stays on the old connection if the server has no room for another one [R5.37]', async () => {
    const { client } = await startApplication({
      controllers,
      server: { limits: { maxConnections: 1 } },
      client: { timeouts: { sessionSoftAgeMs: 100 }, redial: { minMs: 5, maxMs: 20, inBackground: false } },
    });
    const warnings = listenToWarnings();
    expect(await echo(client, 'before')).toBe('before');
    const socket = client.unwrap();
    const failures = await next(client, 'renewalFailed', 3);
    for (const failure of failures) expect(failure).toMatchObject({ error: { code: 'ERR_OVERLOADED' } });
    expect(await echo(client, 'after')).toBe('after');
    expect(client.unwrap()).toBe(socket);
    expect(warnings[0]).toMatch(
      /^Could not renew the connection to .*ERR_OVERLOADED.*; the old one stays in use, and the next attempt is in \d+ ms$/,
    );
  });

  it('stays on the old connection if the server no longer accepts its key [R5.37]', async () => {
    const replaced = newKeyring();
    let isReplaced = false;
    const current: KeySource = {
      get primary() {
        return (isReplaced ? replaced : keyring).primary;
      },
      find: (id) => keyring.find(id),
    };
    const { client } = await startApplication({
      controllers,
      client: {
        keyring: current,
        timeouts: { sessionSoftAgeMs: 100 },
        redial: { minMs: 5, maxMs: 20, inBackground: false },
      },
    });
    expect(await echo(client, 'before')).toBe('before');
    isReplaced = true;
    const [failure] = await next(client, 'renewalFailed');
    expect(failure).toMatchObject({ error: { code: 'ERR_ALERT' } });
    expect(await echo(client, 'after')).toBe('after');
    isReplaced = false;
    await next(client, 'renewed');
    expect(await echo(client, 'again')).toBe('again');
  });

  it('loses calls that are still open at the hard age, with an error that says so [R5.28]', async () => {
    const { client } = await startApplication({
      controllers,
      client: { timeouts: { sessionSoftAgeMs: 20, sessionHardAgeMs: 1_000 } },
    });
    const outcome = firstValueFrom(client.send('ticks', 0)).catch((error: unknown) => error);
    expect(await outcome).toMatchObject({ code: 'ERR_SESSION_EXPIRED', sent: true });
    expect(await echo(client, 'x')).toBe('x');
  });
});

describe('a server whose soft age comes first', () => {
  it('makes the client move without a lost stream [R5.16, R5.18, R5.28]', async () => {
    const { client } = await startApplication({
      controllers,
      server: { timeouts: { sessionSoftAgeMs: 20, drainMs: 0 } },
    });
    const values = firstValueFrom(client.send('ticks', 0).pipe(toArray()));
    await next(client, 'draining');
    expect(await echo(client, 'x')).toBe('x');
    for (let tick = 1; tick <= 3; tick++) ticks.next(tick);
    ticks.complete();
    expect(await values).toEqual([1, 2, 3]);
  });
});
