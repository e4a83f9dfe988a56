import { getEventListeners } from 'node:events';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
import type { ClientLink, LinkEvents } from '../client/client-link.js';
import type { ClientConnectionEvent } from '../client/connection-event.js';
import { TransportError } from '../errors.js';
import type { Endpoint } from '../options/endpoint.js';
import { Pool } from './pool.js';
import type { PoolOptions } from './pool-options.js';
import { resolver } from './addresses/resolver.js';

const PAUSES = { minMs: 100, maxMs: 1_000 };
const LIMITS = { waitForConnectionMs: 0, maxQueuedMessages: 10, connectMs: 5_000, resolveMs: 30_000 };
const refused = (host: string): TransportError =>
  new TransportError('ERR_CONNECT_FAILED', `${host} refused`, { sent: false });

interface Opened {
  readonly link: ClientLink;
  readonly events: LinkEvents;
}

/** What a dial of an address comes to. */
type Behavior = 'answers' | 'refuses' | 'hangs' | 'never answers a PING';

/** Servers by host. Each has the instance id of its name. */
class FakeServers {
  readonly behaviors = new Map<string, Behavior>();
  readonly instances = new Map<string, string>();
  readonly dials: string[] = [];
  /** The time that each of them has. */
  readonly leftMs: number[] = [];
  readonly events: ClientConnectionEvent[] = [];
  /** What was done to connections, in order. */
  readonly done: string[] = [];
  /** Server instances with events that wait to be sent again. */
  readonly kept = new Set<string>();
  /** Server instances whose events were moved if they may run twice, once for each time. */
  readonly moved: string[] = [];
  readonly #opened = new Map<string, Opened>();
  readonly #hanging: { readonly host: string; readonly end: () => void }[] = [];

  pool(hosts: readonly string[], limits: Partial<PoolOptions['limits']> = {}, connectionsPerServer = 1): Pool {
    const endpoints = hosts.map((host): Endpoint => ({ host, port: 8080 }));
    const pool = new Pool({
      servers: { endpoints, connectionsPerServer },
      limits: { ...LIMITS, redial: { ...PAUSES, inBackground: false }, ...limits },
      open: ({ endpoint }, signal, events, leftMs) => {
        this.leftMs.push(leftMs);
        return this.#open('host' in endpoint ? endpoint.host : '', signal, events);
      },
      kept: {
        keptCount: 0,
        hasKept: (id) => (id === undefined ? this.kept.size > 0 : this.kept.has(id)),
        giveUp: (id) => void this.kept.delete(id),
        moveRepeatable: (id) => void this.moved.push(id),
        giveUpAll: () => this.kept.clear(),
        whenNoneKept: () => Promise.resolve(),
      },
      emit: (event) => {
        this.events.push(event);
        this.onEvent(event);
      },
    });
    pools.push(pool);
    return pool;
  }

  onEvent: (event: ClientConnectionEvent) => void = () => undefined;

  isOpen(host: string): boolean {
    return this.#opened.has(host);
  }

  /** The connection that was opened last. */
  at(host: string): ClientLink {
    return this.#at(host).link;
  }

  lose(host: string): void {
    const { link, events } = this.#at(host);
    events.onClosed(link, new TransportError('ERR_CONNECTION_LOST', 'lost'));
  }

  /** Loses a connection with an event that is not acknowledged. */
  loseEvent(host: string): void {
    const { link, events } = this.#at(host);
    this.kept.add(link.serverId);
    this.lose(host);
    events.onKept(link);
  }

  /** A connection reports that events of it wait to be sent again. */
  keep(host: string, link: ClientLink): void {
    this.#at(host).events.onKept(link);
  }

  age(host: string): void {
    const { link, events } = this.#at(host);
    events.onAged(link);
  }

  drain(host: string): void {
    const { link, events } = this.#at(host);
    Object.assign(link.connection, { isOpen: false });
    events.onRetired(link, () => undefined);
  }

  busy(host: string, openCount: number): void {
    Object.assign(this.at(host).streams, { openCount });
  }

  /** Ends the dials that hang. */
  answer(host: string): void {
    for (const dial of this.#hanging) if (dial.host === host) dial.end();
  }

  types(host?: string): string[] {
    const about = this.events.filter(
      (event) => host === undefined || ('server' in event && event.server.includes(host)),
    );
    return about.map(({ type }) => type);
  }

  async #open(host: string, signal: AbortSignal, events: LinkEvents): Promise<ClientLink> {
    this.dials.push(host);
    if (this.behaviors.get(host) === 'hangs') {
      await new Promise<void>((resolve, reject) => {
        this.#hanging.push({ host, end: resolve });
        signal.addEventListener('abort', () => reject(refused(host)));
      });
    }
    if (this.behaviors.get(host) === 'refuses') throw refused(host);
    const connection = {
      isOpen: true,
      socket: { bytesRead: 0, bytesWritten: 0 },
      ping: () =>
        this.behaviors.get(host) === 'never answers a PING' ? new Promise(() => undefined) : Promise.resolve(1),
      retire: () => undefined,
      vacate: () => {
        if (!connection.isOpen) return;
        connection.isOpen = false;
        this.done.push(`vacate ${host}`);
        events.onRetired(link, () => undefined);
      },
      close: () => {
        this.done.push(`close ${host}`);
        events.onClosed(link, undefined);
        return Promise.resolve();
      },
    };
    const serverId = this.instances.get(host) ?? host;
    const streams = { openCount: 0, queuedCount: 0, hasFreeSlot: true };
    const takeKept = (): void => undefined;
    const link = {
      connection,
      serverId,
      streams,
      unansweredCount: 0,
      takeKept,
      takeEventsOf: takeKept,
      throwUnlessOpen: takeKept,
    } as unknown as ClientLink; // no more of it is looked at
    this.#opened.set(host, { link, events });
    return link;
  }

  #at(host: string): Opened {
    const opened = this.#opened.get(host);
    if (opened === undefined) throw new TypeError(`There is no connection to ${host}`);
    return opened;
  }
}

const [A, B, C] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'] as const;
const ALL = [A, B, C];
const { lookup } = resolver;
let servers: FakeServers;
let time: FakeClock;
let pools: Pool[];

beforeEach(() => {
  time = FakeClock.install();
  servers = new FakeServers();
  pools = [];
});

afterEach(async () => {
  resolver.lookup = lookup;
  await Promise.all(pools.map((pool) => pool.close()));
  if (time.timerCount > 0) throw new Error('A timer is left behind');
});

/** A pool that is connected to all of its servers. */
async function connected(hosts: readonly string[] = ALL, limits: Partial<PoolOptions['limits']> = {}): Promise<Pool> {
  const pool = servers.pool(hosts, limits);
  await pool.connect('REQUEST');
  await time.advanceAsync(0);
  return pool;
}

const stateOf = (pool: Pool): Record<string, string> =>
  Object.fromEntries(pool.counts().servers.map(({ server, state }) => [server.replace(':8080', ''), state]));

describe('the first call of a client with several servers', () => {
  it('dials all servers in parallel and uses the first one that is open', async () => {
    servers.behaviors.set(A, 'hangs').set(B, 'hangs');
    const pool = servers.pool(ALL);
    await expect(pool.connect('REQUEST')).resolves.toBe(servers.at(C));
    expect(servers.dials).toEqual(ALL);
    expect(pool.pick('EVENT')).toBe(servers.at(C));
  });

  it('fails with the reason of every server if none can be reached', async () => {
    for (const host of ALL) servers.behaviors.set(host, 'refuses');
    const failed = servers.pool(ALL).connect('REQUEST');
    await expect(failed).rejects.toMatchObject({
      code: 'ERR_CONNECT_FAILED',
      sent: false,
      message: `None of the 3 servers could be reached: ${ALL.map((host) => `${host}:8080: ${host} refused`).join('; ')}`,
    });
  });

  it('waits for the dials that were running when it came, and not for later ones', async () => {
    for (const host of [A, B]) servers.behaviors.set(host, 'hangs');
    const pool = servers.pool([A, B]);
    const first = pool.connect('REQUEST').catch((error: unknown) => error);
    await time.advanceAsync(0);
    for (const host of [A, B]) servers.behaviors.set(host, 'refuses');
    servers.answer(A);
    await time.advanceAsync(0);
    servers.behaviors.set(A, 'hangs');
    const second = pool.connect('REQUEST').catch((error: unknown) => error); // dials A again
    await time.advanceAsync(0);
    expect(servers.dials).toEqual([A, B, A]);
    servers.answer(B);
    expect(await first).toMatchObject({ code: 'ERR_CONNECT_FAILED' });
    expect(pool.counts().waiting).toBe(1);
    servers.behaviors.set(A, 'answers');
    servers.answer(A);
    expect(await second).toBe(servers.at(A));
  });
});

describe('a burst of requests before any connection is open', () => {
  const LIMIT = { maxQueuedMessages: 1_000 };

  /** Makes calls of which each goes to the server that it gets, and returns the number of calls of each server. */
  function burst(pool: Pool, requests: number): () => readonly number[] {
    for (let request = 0; request < requests; request++)
      void pool
        .connect('REQUEST')
        .then(() => pool.pick('REQUEST'))
        .then((link) => Object.assign(link?.streams ?? {}, { openCount: (link?.streams.openCount ?? 0) + 1 }));
    return () => ALL.map((host) => (servers.isOpen(host) ? servers.at(host).streams.openCount : 0));
  }

  beforeEach(() => {
    servers.behaviors.set(B, 'hangs').set(C, 'hangs');
  });

  it('is shared by all servers that open within a moment', async () => {
    const counts = burst(servers.pool(ALL, LIMIT), 300);
    await time.advanceAsync(0);
    expect(counts()).toEqual([100, 0, 0]);
    for (const host of [B, C]) servers.behaviors.set(host, 'answers');
    servers.answer(B);
    await time.advanceAsync(0);
    expect(counts()).toEqual([100, 100, 0]);
    servers.answer(C);
    await time.advanceAsync(0);
    expect(counts()).toEqual([100, 100, 100]);
  });

  it('goes to the first one after 100 ms if no other one opens', async () => {
    const pool = servers.pool(ALL, LIMIT);
    const counts = burst(pool, 300);
    await time.advanceAsync(99);
    expect(counts()).toEqual([100, 0, 0]);
    await time.advanceAsync(1);
    expect(counts()).toEqual([300, 0, 0]);
    await expect(pool.connect('REQUEST')).resolves.toBe(servers.at(A));
  });

  it('goes to the first one when the dials of the others have failed', async () => {
    const counts = burst(servers.pool(ALL, LIMIT), 300);
    await time.advanceAsync(0);
    for (const host of [B, C]) servers.behaviors.set(host, 'refuses');
    for (const host of [B, C]) servers.answer(host);
    await time.advanceAsync(0);
    expect(counts()).toEqual([300, 0, 0]);
  });

  it('of a few requests goes to the first one immediately', async () => {
    const counts = burst(servers.pool(ALL, LIMIT), 16);
    await time.advanceAsync(0);
    expect(counts()).toEqual([16, 0, 0]);
  });

  it('goes to the first one if the time to wait for a connection is shorter', async () => {
    const counts = burst(servers.pool(ALL, { ...LIMIT, waitForConnectionMs: 50 }), 300);
    await time.advanceAsync(50);
    expect(counts()).toEqual([300, 0, 0]);
  });

  it('starts in its order, and before a later request', async () => {
    const pool = servers.pool(ALL, LIMIT);
    const started: number[] = [];
    const request = (number: number): void => void pool.connect('REQUEST').then(() => started.push(number));
    for (let number = 0; number < 40; number++) request(number);
    await time.advanceAsync(0);
    expect(started).toHaveLength(16);
    request(40);
    await time.advanceAsync(100);
    expect(started).toEqual(Array.from({ length: 41 }, (_, number) => number));
  });

  it('fails if the first one is lost and the others cannot be reached', async () => {
    const pool = servers.pool(ALL, LIMIT);
    const calls = Array.from({ length: 40 }, () => pool.connect('REQUEST').catch((error: unknown) => error));
    await time.advanceAsync(0);
    servers.lose(A);
    await time.advanceAsync(100);
    for (const host of [B, C]) servers.behaviors.set(host, 'refuses');
    for (const host of [B, C]) servers.answer(host);
    const failed = (await Promise.all(calls)).filter((result) => result instanceof TransportError);
    expect(failed).toHaveLength(24);
  });
});

describe('the signal of a call', () => {
  it('that is aborted already fails the call with its reason, without a dial', async () => {
    const failed = servers.pool(ALL, { waitForConnectionMs: 10_000 }).connect('REQUEST', AbortSignal.abort('early'));
    await expect(failed).rejects.toBe('early');
    expect(servers.dials).toEqual([]);
  });

  it('that is aborted during the wait fails the call with its reason', async () => {
    for (const host of ALL) servers.behaviors.set(host, 'hangs');
    const abort = new AbortController();
    const { signal } = abort;
    const pool = servers.pool(ALL, { waitForConnectionMs: 10_000 });
    const failed = pool.connect('REQUEST', signal).catch((error: unknown) => error);
    abort.abort('late');
    expect(await failed).toBe('late');
    expect([pool.counts().waiting, getEventListeners(signal, 'abort')]).toEqual([0, []]);
  });

  it.each(['answers', 'refuses', 'hangs'] as const)('has no listener after the wait, if the server %s', async (how) => {
    for (const host of ALL) servers.behaviors.set(host, how);
    const { signal } = new AbortController();
    const wait = servers.pool(ALL, { waitForConnectionMs: 1_000 }).connect('REQUEST', signal);
    const ended = wait.catch((error: unknown) => error);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await time.advanceAsync(1_000);
    await ended;
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('the choice of a server', () => {
  it('gives a request to the server with the fewest calls', async () => {
    const pool = await connected();
    servers.busy(A, 3);
    servers.busy(B, 1);
    servers.busy(C, 2);
    for (let call = 0; call < 5; call++) expect(pool.pick('REQUEST')).toBe(servers.at(B));
  });

  it('prefers servers with a free slot', async () => {
    const pool = await connected();
    servers.busy(A, 3);
    servers.busy(B, 1);
    servers.busy(C, 2);
    Object.assign(servers.at(B).streams, { hasFreeSlot: false });
    expect(pool.pick('REQUEST')).toBe(servers.at(C));
    for (const host of [A, C]) Object.assign(servers.at(host).streams, { hasFreeSlot: false });
    expect(pool.pick('REQUEST')).toBe(servers.at(B));
  });

  it('counts requests that were cancelled without an answer', async () => {
    const pool = await connected();
    servers.busy(A, 3);
    servers.busy(B, 2);
    Object.assign(servers.at(C), { unansweredCount: 3 });
    for (let call = 0; call < 3; call++) expect(pool.pick('REQUEST')).toBe(servers.at(B));
  });

  it('takes turns between servers with equally many calls', async () => {
    const pool = await connected();
    const picked = Array.from({ length: 300 }, () => pool.pick('REQUEST')?.serverId);
    for (const host of ALL) expect(picked.filter((id) => id === host)).toHaveLength(100);
  });

  it('leaves out the instances that a call has tried', async () => {
    const pool = await connected();
    expect(pool.pick('REQUEST', new Set([A, C]))).toBe(servers.at(B));
    expect(pool.pick('REQUEST', new Set(ALL))).toBeUndefined();
    expect(pool.pick('EVENT', new Set([A, C]))).toBe(servers.at(B));
  });

  it('opens as many connections to each server as is asked for, and gives each its share', async () => {
    const pool = servers.pool([A, B], {}, 3);
    await pool.connect('REQUEST');
    await time.advanceAsync(0);
    expect(servers.dials).toHaveLength(6);
    expect(pool.counts()).toMatchObject({ connections: 6, servers: [{ connections: 3 }, { connections: 3 }] });
    expect(new Set(Array.from({ length: 6 }, () => pool.pick('REQUEST'))).size).toBe(6);
  });
});

describe('a server that fails', () => {
  it('takes no calls, which do not wait for it', async () => {
    const pool = await connected();
    servers.behaviors.set(A, 'hangs');
    servers.lose(A);
    for (let call = 0; call < 10; call++) expect(pool.pick('REQUEST')).not.toBe(servers.at(A));
    await expect(pool.connect('REQUEST')).resolves.toBeDefined();
  });

  it('is dialed again by the first call after its pause, without redial', async () => {
    const pool = await connected();
    servers.lose(A);
    pool.pick('REQUEST');
    await time.advanceAsync(40);
    expect(servers.dials).toHaveLength(3);
    await time.advanceAsync(60_000);
    expect(servers.dials).toHaveLength(3);
    pool.pick('REQUEST');
    await time.advanceAsync(0);
    expect(servers.dials).toEqual([...ALL, A]);
    expect(stateOf(pool)[A]).toBe('connected');
  });

  it('is not dialed before the end of its pause because the pause of another one is over', async () => {
    for (const host of [B, C]) servers.behaviors.set(host, 'refuses');
    const random = vi.spyOn(Math, 'random').mockReturnValueOnce(0).mockReturnValueOnce(1);
    const pool = await connected();
    random.mockRestore();
    pool.pick('REQUEST');
    await time.advanceAsync(100); // the pause of B
    pool.pick('REQUEST');
    await time.advanceAsync(0);
    expect(servers.dials).toEqual([...ALL, B]);
  });

  it('is dialed again with pauses that grow, with redial', async () => {
    const pool = await connected(ALL, { redial: { ...PAUSES, inBackground: true } });
    servers.behaviors.set(A, 'refuses');
    servers.lose(A);
    await time.advanceAsync(10_000);
    const pauses = servers.events.flatMap((event) => (event.type === 'failed' ? (event.retryInMs ?? -1) : []));
    for (const [index, longestMs] of [200, 400, 800, 1_000].entries()) {
      expect(pauses[index]).toBeGreaterThanOrEqual(longestMs / 2);
      expect(pauses[index]).toBeLessThanOrEqual(longestMs);
    }
    servers.behaviors.set(A, 'answers');
    await time.advanceAsync(1_000);
    expect(stateOf(pool)).toEqual({ [A]: 'connected', [B]: 'connected', [C]: 'connected' });
  });

  it('is dialed with pauses that grow if it accepts connections and loses them soon', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(1);
    await connected(ALL, { redial: { ...PAUSES, inBackground: true } });
    const loses = async (pauseMs: number): Promise<void> => {
      const before = servers.dials.length;
      servers.lose(A);
      await time.advanceAsync(pauseMs - 1);
      expect(servers.dials).toHaveLength(before);
      await time.advanceAsync(1);
      expect(servers.dials).toHaveLength(before + 1);
    };
    for (const pauseMs of [100, 200, 400, 800, 1_000]) await loses(pauseMs);
    await time.advanceAsync(10_000);
    await loses(100);
    random.mockRestore();
  });

  it('takes calls only after it has answered a PING', async () => {
    const pool = await connected();
    servers.behaviors.set(A, 'never answers a PING');
    servers.lose(A);
    await time.advanceAsync(100);
    pool.pick('REQUEST');
    await time.advanceAsync(4_000);
    expect(servers.dials).toHaveLength(4);
    expect(stateOf(pool)[A]).toBe('connecting');
    await time.advanceAsync(1_000);
    expect(servers.events.at(-1)).toMatchObject({
      type: 'failed',
      server: `${A}:8080`,
      error: { code: 'ERR_PING_TIMEOUT' },
    });
    expect(servers.done).toEqual([`close ${A}`]);
  });

  it('is dialed in parallel with all others by a call if none is connected', async () => {
    const pool = await connected();
    for (const host of ALL) servers.lose(host);
    await expect(pool.connect('REQUEST')).resolves.toBeDefined();
    expect(servers.dials).toEqual([...ALL, ...ALL]);
  });
});

describe('events', () => {
  it('go to one server, whatever it has to do', async () => {
    const pool = await connected();
    servers.busy(A, 1_000);
    for (let call = 0; call < 10; call++) expect(pool.pick('EVENT')).toBe(servers.at(A));
  });

  it('wait while the connection to their server is lost, and return to it', async () => {
    const pool = await connected();
    servers.behaviors.set(A, 'hangs');
    servers.lose(A);
    expect(pool.pick('EVENT')).toBeUndefined();
    const event = pool.connect('EVENT');
    await expect(pool.connect('REQUEST')).resolves.not.toBe(servers.at(A));
    expect(servers.dials).toEqual([...ALL, A]);
    servers.behaviors.set(A, 'answers');
    servers.answer(A);
    expect(await event).toBe(servers.at(A));
  });

  it('move to another server if theirs cannot be reached again', async () => {
    const pool = await connected();
    servers.behaviors.set(A, 'refuses');
    servers.lose(A);
    const link = await pool.connect('EVENT');
    expect([servers.at(B), servers.at(C)]).toContain(link);
    servers.behaviors.set(A, 'answers');
    await time.advanceAsync(1_000);
    pool.pick('EVENT');
    await time.advanceAsync(0);
    expect(stateOf(pool)[A]).toBe('connected');
    expect(pool.pick('EVENT')).toBe(link);
  });

  it('move to another server if theirs drains on one of its connections', async () => {
    servers.behaviors.set(B, 'hangs');
    const pool = servers.pool([A, B], {}, 3);
    await pool.connect('EVENT');
    await time.advanceAsync(0);
    servers.behaviors.set(B, 'answers');
    servers.answer(B);
    await time.advanceAsync(0);
    servers.drain(A);
    expect(pool.all.map(({ serverId }) => serverId)).toEqual([B, B, B]);
    for (const kind of ['EVENT', 'REQUEST'] as const) expect(pool.pick(kind)?.serverId).toBe(B);
  });

  it('move to another server if theirs drains', async () => {
    const pool = await connected();
    servers.drain(A);
    expect([servers.at(B), servers.at(C)]).toContain(pool.pick('EVENT'));
  });
});

describe('a server with events that wait to be sent again', () => {
  it.each([[[A]], [ALL]])('is dialed again without a call and without redial: %s', async (hosts) => {
    const pool = await connected(hosts);
    servers.behaviors.set(A, 'refuses');
    servers.loseEvent(A);
    await time.advanceAsync(2_000);
    servers.behaviors.set(A, 'answers');
    await time.advanceAsync(1_000);
    expect(stateOf(pool)[A]).toBe('connected');
    expect(servers.kept).toEqual(new Set([A]));
    servers.kept.clear();
  });

  it('gives them up if another instance answers at its address', async () => {
    await connected();
    servers.loseEvent(A);
    servers.instances.set(A, 'restarted');
    await time.advanceAsync(200);
    expect(servers.kept).toEqual(new Set());
  });

  it('gives them up if they become known after another instance has answered', async () => {
    await connected([A]);
    const old = servers.at(A);
    servers.instances.set(A, 'restarted');
    servers.drain(A);
    await pools[0]?.connect('REQUEST');
    servers.kept.add(old.serverId);
    servers.keep(A, old);
    expect(servers.kept).toEqual(new Set());
  });

  it('loses those that may run twice to a connected server when it cannot be reached', async () => {
    await connected();
    servers.behaviors.set(A, 'hangs');
    servers.loseEvent(A);
    await time.advanceAsync(1_000);
    expect(servers.moved).toEqual([]);
    servers.behaviors.set(A, 'refuses');
    servers.answer(A);
    await time.advanceAsync(0);
    expect([servers.moved, servers.kept]).toEqual([[A], new Set([A])]);
    servers.kept.clear();
  });

  it('loses those that may run twice to the next server that is connected', async () => {
    const pool = await connected([A, B], { waitForConnectionMs: 60_000 });
    for (const host of [A, B]) servers.behaviors.set(host, 'refuses');
    servers.lose(B);
    servers.loseEvent(A);
    await time.advanceAsync(1_000);
    expect(servers.moved).toEqual([]);
    servers.behaviors.set(B, 'answers');
    await pool.connect('REQUEST');
    expect(servers.moved).toEqual([A]);
    servers.kept.clear();
  });

  it('keeps them while the instance can be reached under another address', async () => {
    servers.instances.set(A, 'one').set(B, 'one');
    const pool = await connected([A, B]);
    servers.loseEvent(A);
    servers.behaviors.set(A, 'refuses');
    await time.advanceAsync(1_000);
    expect(pool.open).toBe(servers.at(B));
    expect(servers.kept).toEqual(new Set(['one']));
    servers.kept.clear();
  });
});

describe('two addresses of one server', () => {
  beforeEach(() => {
    servers.instances.set(A, 'one').set(B, 'one');
  });

  it('have one connection, without a failure', async () => {
    const pool = await connected([A, B]);
    expect(servers.done).toEqual([`close ${B}`]);
    expect(stateOf(pool)).toEqual({ [A]: 'connected', [B]: 'duplicate' });
    expect(servers.types()).not.toContain('failed');
    await time.advanceAsync(60_000);
    for (let call = 0; call < 10; call++) expect(pool.pick('REQUEST')).toBe(servers.at(A));
    expect(servers.dials).toEqual([A, B]);
  });

  it('are two servers as soon as a renewal reaches another one', async () => {
    const pool = await connected([A, B]);
    servers.instances.set(A, 'another');
    servers.age(A);
    await time.advanceAsync(0);
    pool.pick('REQUEST'); // dials in the background
    await time.advanceAsync(0);
    expect(stateOf(pool)).toEqual({ [A]: 'connected', [B]: 'connected' });
  });

  it('are both dialed if the connection is lost after a renewal has reached another server', async () => {
    const pool = await connected([A, B]);
    servers.instances.set(A, 'another');
    servers.age(A);
    await time.advanceAsync(0);
    servers.lose(A);
    servers.behaviors.set(A, 'refuses');
    await expect(pool.connect('REQUEST')).resolves.toBe(servers.at(B));
  });

  it('are both dialed if the connection is lost', async () => {
    const pool = await connected([A, B]);
    servers.lose(A);
    servers.behaviors.set(A, 'refuses');
    await expect(pool.connect('REQUEST')).resolves.toBe(servers.at(B));
    expect(servers.dials).toEqual([A, B, A, B]);
    expect(pool.pick('EVENT')).toBe(servers.at(B));
  });
});

describe('a name', () => {
  let addresses: readonly string[] | Error;
  let lookups: number;
  const NAME = ['server'];

  beforeEach(() => {
    addresses = ALL;
    lookups = 0;
    resolver.lookup = (host) => {
      if (host !== 'server') throw new TypeError(`${host} is not a name`);
      lookups += 1;
      return addresses instanceof Error ? Promise.reject(addresses) : Promise.resolve(addresses);
    };
  });

  it('with one address is shown as it is', async () => {
    addresses = [A];
    const pool = await connected(NAME);
    expect(servers.dials).toEqual([A]);
    expect(servers.events).toMatchObject([
      { type: 'connecting', server: 'server:8080' },
      { type: 'connected', server: 'server:8080' },
    ]);
    expect(pool.counts().servers).toMatchObject([{ server: 'server:8080', state: 'connected' }]);
  });

  it('with several addresses is a server for each', async () => {
    const pool = await connected(NAME);
    expect([...servers.dials].sort()).toEqual(ALL);
    expect(pool.counts().servers.map(({ server }) => server)).toEqual(ALL.map((host) => `server:8080 (${host})`));
    expect(lookups).toBe(1);
  });

  it.each([[[A, B]], [[A, B, C]]])('with addresses that refuse is reached at the last one: %s', async (found) => {
    addresses = found;
    for (const host of found.slice(0, -1)) servers.behaviors.set(host, 'refuses');
    const last = found.at(-1) ?? '';
    servers.behaviors.set(last, 'hangs');
    const calls = Promise.all((['REQUEST', 'EVENT'] as const).map((kind) => servers.pool(NAME).connect(kind)));
    await time.advanceAsync(0);
    servers.behaviors.set(last, 'answers');
    servers.answer(last);
    expect((await calls).map(({ serverId }) => serverId)).toEqual([last, last]);
  });

  it('fails the call if all of its addresses refuse', async () => {
    for (const host of ALL) servers.behaviors.set(host, 'refuses');
    await expect(servers.pool(NAME).connect('REQUEST')).rejects.toMatchObject({
      message: expect.stringMatching(/^None of the 3 servers could be reached/) as string,
    });
  });

  it('whose other address vanishes while it is dialed fails the call', async () => {
    addresses = [A, B];
    servers.behaviors.set(A, 'hangs').set(B, 'refuses');
    let failure: unknown;
    servers
      .pool(NAME)
      .connect('REQUEST')
      .catch((error: unknown) => (failure = error));
    await time.advanceAsync(0);
    addresses = [B];
    await time.advanceAsync(60_000);
    expect(failure).toMatchObject({ message: `${B} refused`, sent: false });
  });

  it('is reached at a new address after a loss, if another new one refuses', async () => {
    addresses = [A];
    const pool = await connected(NAME);
    servers.lose(A);
    servers.behaviors.set(B, 'refuses').set(C, 'hangs');
    addresses = [B, C];
    const call = pool.connect('REQUEST');
    await time.advanceAsync(0);
    servers.behaviors.set(C, 'answers');
    servers.answer(C);
    expect(await call).toBe(servers.at(C));
  });

  it('that is not resolved fails the call', async () => {
    addresses = new Error('getaddrinfo ENOTFOUND server');
    await expect(servers.pool(NAME).connect('REQUEST')).rejects.toMatchObject({
      code: 'ERR_CONNECT_FAILED',
      message: 'Cannot connect to server:8080: getaddrinfo ENOTFOUND server',
      sent: false,
    });
    expect(servers.types()).toEqual(['connecting', 'failed']);
  });

  it('is resolved and reached within timeouts.connectMs together', async () => {
    let resolveName = (_found: readonly string[]): void => undefined;
    resolver.lookup = () => new Promise((resolve) => (resolveName = resolve));
    const call = servers.pool(NAME).connect('REQUEST');
    await time.advanceAsync(3_000);
    resolveName([A]);
    expect(await call).toBe(servers.at(A));
    expect(servers.leftMs).toEqual([2_000]);
  });

  it('that is not resolved in time fails the call, and is looked up once at a time', async () => {
    resolver.lookup = () => {
      lookups += 1;
      return new Promise(() => undefined);
    };
    const pool = servers.pool(NAME);
    for (let call = 0; call < 2; call++) {
      const failed = pool.connect('REQUEST').catch((error: unknown) => error);
      await time.advanceAsync(5_000);
      expect(await failed).toMatchObject({ code: 'ERR_CONNECT_TIMEOUT', sent: false });
    }
    expect(lookups).toBe(1);
  });

  it('is resolved again every 30 s: new addresses are dialed, and vanished ones drain', async () => {
    const pool = await connected(NAME);
    addresses = [B, C, '10.0.0.4'];
    await time.advanceAsync(29_999);
    expect(lookups).toBe(1);
    await time.advanceAsync(1);
    expect(lookups).toBe(2);
    expect(servers.done).toEqual([`vacate ${A}`]);
    expect(stateOf(pool)).toEqual({
      [`server (${A})`]: 'draining',
      [`server (${B})`]: 'connected',
      [`server (${C})`]: 'connected',
      'server (10.0.0.4)': 'connected',
    });
    expect(pool.pick('EVENT')).not.toBe(servers.at(A));
    servers.lose(A);
    expect(Object.keys(stateOf(pool))).toHaveLength(3);
  });

  it('keeps its addresses if it can no longer be resolved', async () => {
    const pool = await connected(NAME);
    addresses = new Error('getaddrinfo EAI_AGAIN server');
    await time.advanceAsync(30_000);
    expect(lookups).toBe(2);
    expect(Object.values(stateOf(pool))).toEqual(['connected', 'connected', 'connected']);
    addresses = [];
    await time.advanceAsync(30_000);
    expect(Object.values(stateOf(pool))).toEqual(['connected', 'connected', 'connected']);
  });

  it('is resolved before it is dialed again', async () => {
    addresses = [A];
    const pool = await connected(NAME);
    servers.lose(A);
    servers.behaviors.set(A, 'refuses');
    addresses = [B];
    expect(await pool.connect('REQUEST')).toBe(servers.at(B));
    expect(servers.dials).toEqual([A, B]);
  });

  it('whose only address changes keeps its connection until the new one is open', async () => {
    addresses = [A];
    const pool = await connected(NAME);
    addresses = [B];
    servers.behaviors.set(B, 'hangs');
    await time.advanceAsync(30_000);
    expect(pool.open).toBe(servers.at(A));
    servers.behaviors.set(B, 'answers');
    servers.answer(B);
    await time.advanceAsync(0);
    expect(pool.open).toBe(servers.at(B));
    expect(servers.done).toEqual([`vacate ${A}`]);
  });

  it('renews the last connection, also if its address has vanished, until another one is open', async () => {
    addresses = [A];
    servers.behaviors.set(C, 'refuses');
    const pool = await connected(NAME);
    addresses = [C];
    await time.advanceAsync(30_000);
    const old = servers.at(A);
    servers.age(A);
    await time.advanceAsync(0);
    expect(pool.open).toBe(servers.at(A));
    expect(pool.open).not.toBe(old);
    servers.behaviors.set(A, 'hangs').set(C, 'answers');
    servers.age(A);
    addresses = [B];
    await time.advanceAsync(30_000);
    expect(pool.open).toBe(servers.at(B));
    expect(Object.keys(stateOf(pool))).not.toContain(`server (${C})`);
  });

  it('takes an address back that has vanished, although its connection is the only one', async () => {
    addresses = [A, B];
    servers.behaviors.set(B, 'refuses').set(C, 'refuses');
    const pool = await connected(NAME);
    addresses = [C];
    await time.advanceAsync(30_000);
    expect(stateOf(pool)).toMatchObject({ [`server (${A})`]: 'connected', server: 'idle' });
    addresses = [A];
    await time.advanceAsync(30_000);
    expect(stateOf(pool)).toMatchObject({ [`server (${A})`]: 'draining', server: 'connected' });
  });

  it('is resolved again by the first call after close(), also if no address ever answered', async () => {
    addresses = [A];
    servers.behaviors.set(A, 'refuses');
    const pool = servers.pool(NAME);
    await expect(pool.connect('REQUEST')).rejects.toMatchObject({ code: 'ERR_CONNECT_FAILED' });
    await pool.close();
    addresses = [B];
    expect(await pool.connect('REQUEST')).toBe(servers.at(B));
  });

  it.each([0, 1])('is resolved for a call in the same turn as close(), after %i others', async (closes) => {
    addresses = [A];
    const pool = await connected(NAME);
    for (let close = 0; close < closes; close++) await pool.close();
    let answer = (): void => undefined;
    resolver.lookup = () => new Promise((resolve) => (answer = () => resolve([B])));
    servers.lose(A);
    const first = pool.connect('REQUEST').catch((error: unknown) => error);
    await time.advanceAsync(0);
    void pool.close();
    const second = pool.connect('REQUEST');
    await time.advanceAsync(0);
    answer();
    expect(await first).toMatchObject({ code: 'ERR_CLIENT_CLOSED' });
    expect(await second).toBe(servers.at(B));
  });

  it('gives up the events for an address that has vanished', async () => {
    await connected(NAME);
    servers.behaviors.set(A, 'refuses');
    servers.loseEvent(A);
    addresses = [B, C];
    await time.advanceAsync(1_000);
    expect(servers.kept).toEqual(new Set());
  });

  it('has at most 64 addresses, and keeps those that it has', async () => {
    const many = Array.from({ length: 100 }, (_, index) => `10.0.1.${index}`);
    addresses = many;
    await connected(NAME);
    expect(servers.dials).toHaveLength(64);
    addresses = many.toReversed();
    await time.advanceAsync(30_000);
    expect(servers.dials).toHaveLength(64);
  });

  it('is not resolved at regular times with resolveMs 0', async () => {
    await connected(NAME, { resolveMs: Infinity });
    await time.advanceAsync(600_000);
    expect(lookups).toBe(1);
  });
});

describe('close() of a client with several servers', () => {
  it.each(['hangs', 'refuses', 'answers', 'never answers a PING'] as const)(
    'ends everything, whatever the servers do: %s',
    async (behavior) => {
      const pool = await connected(ALL, { redial: { ...PAUSES, inBackground: true } });
      for (const host of ALL) servers.behaviors.set(host, behavior);
      servers.lose(A);
      servers.lose(B);
      await time.advanceAsync(200);
      await pool.close();
      const { length } = servers.dials;
      await time.advanceAsync(60_000);
      expect(servers.dials).toHaveLength(length);
      expect(pool.counts()).toMatchObject({ state: 'idle', connections: 0, waiting: 0 });
    },
  );

  it.each([true, false])(
    'dials no server again for events that are lost while it closes: redial %s',
    async (redial) => {
      const pool = await connected([A], { redial: { ...PAUSES, inBackground: redial } });
      Object.assign(servers.at(A).connection, { close: () => Promise.resolve(servers.loseEvent(A)) });
      await pool.close();
      await time.advanceAsync(60_000);
      expect([servers.dials, servers.kept]).toEqual([[A], new Set()]);
      expect(pool.counts().state).toBe('idle');
    },
  );

  it('leaves no connection that it opened for events of a lost one', async () => {
    const pool = await connected([A, B]);
    let end = (): void => undefined;
    const ends = new Promise<void>((resolve) => (end = resolve));
    Object.assign(servers.at(A).connection, { close: () => Promise.resolve(servers.loseEvent(A)) });
    Object.assign(servers.at(B).connection, { close: () => ends });
    const closed = pool.close(10_000);
    await time.advanceAsync(1_000);
    expect(stateOf(pool)[A]).toBe('connected');
    servers.kept.clear();
    end();
    await closed;
    expect(servers.dials).toEqual([A, B, A]);
    expect(pool.counts().state).toBe('idle');
  });

  it('leaves a connection that a listener of its events has asked for', async () => {
    const pool = await connected([A]);
    let again: Promise<ClientLink> | undefined;
    servers.onEvent = ({ type }) => {
      if (type === 'disconnected') again ??= pool.connect('REQUEST');
    };
    await pool.close(1_000);
    await expect(again).resolves.toBe(servers.at(A));
    expect(pool.counts().state).toBe('connected');
  });

  it('fails the waiting calls, also from a listener of its own events', async () => {
    for (const type of ['connecting', 'failed', 'disconnected'] as const) {
      for (const host of ALL) servers.behaviors.set(host, type === 'failed' ? 'refuses' : 'answers');
      const pool = servers.pool(ALL);
      servers.onEvent = (event) => {
        if (event.type !== type) return;
        servers.onEvent = () => undefined;
        void pool.close();
      };
      const failed = pool.connect('REQUEST').catch((error: unknown) => error);
      if (type === 'disconnected') await pool.close();
      expect(await failed).toBeInstanceOf(TransportError);
      await time.advanceAsync(0);
      expect(pool.counts().state).toBe('idle');
    }
  });
});
