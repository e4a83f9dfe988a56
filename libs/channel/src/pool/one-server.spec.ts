import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
import type { ClientLink, LinkEvents } from '../client/client-link.js';
import type { ClientConnectionEvent } from '../client/connection-event.js';
import { TransportError } from '../errors.js';
import { Pool } from './pool.js';
import type { PoolOptions } from './pool-options.js';

const PAUSES = { minMs: 100, maxMs: 1_000 };
const LIMITS = { waitForConnectionMs: 0, maxQueuedMessages: 2, connectMs: 5_000, resolveMs: 30_000 };
const refused = new TransportError('ERR_CONNECT_FAILED', 'refused', { sent: false });

/** A server that can be up or down, or full, as a pool sees it. */
class FakeServer {
  failure: unknown;
  /** What a PING on a new connection comes to. */
  answersPing: () => Promise<number> = () => Promise.resolve(1);
  /** The number of the next connections whose key is replaced while they are opened. */
  outdated = 0;
  dials = 0;
  readonly events: ClientConnectionEvent[] = [];
  /** What was done to a connection, in order: its number, and `retire` or `close`. */
  readonly done: string[] = [];
  readonly #opened: { readonly link: ClientLink; readonly events: LinkEvents }[] = [];

  pool(redial: boolean, limits: Partial<PoolOptions['limits']> = {}): Pool {
    return new Pool({
      servers: { endpoints: [{ host: '127.0.0.1', port: 8080 }], connectionsPerServer: 1 },
      limits: { ...LIMITS, redial: { ...PAUSES, inBackground: redial }, ...limits },
      open: (_server, _signal, events) => this.#open(events),
      emit: (event) => {
        this.events.push(event);
        this.onEvent(event);
      },
    });
  }

  onEvent: (event: ClientConnectionEvent) => void = () => undefined;

  /** Of the connection that was opened last, or of the one of this number, from 1 on. */
  lose(number = this.#opened.length): void {
    const { link, events } = this.#at(number);
    events.onClosed(link, new TransportError('ERR_CONNECTION_LOST', 'lost'));
  }

  end(number: number): void {
    const { link, events } = this.#at(number);
    events.onClosed(link, undefined);
  }

  /** Its key is revoked. */
  revoke(number = this.#opened.length): void {
    const { link, events } = this.#at(number);
    events.onClosed(link, new TransportError('ERR_KEY_REVOKED', 'revoked'));
  }

  age(number = this.#opened.length): void {
    const { link, events } = this.#at(number);
    events.onAged(link);
  }

  /** It has sent GOAWAY. */
  goAway(number: number): void {
    const { link, events } = this.#at(number);
    Object.assign(link.connection, { isOpen: false });
    events.onRetired(link, () => undefined);
  }

  linkAt(number: number): ClientLink {
    return this.#at(number).link;
  }

  types(): string[] {
    return this.events.map(({ type }) => type);
  }

  pauses(): number[] {
    return this.events.flatMap((event) => (event.type === 'failed' ? (event.retryInMs ?? -1) : []));
  }

  #open(events: LinkEvents): Promise<ClientLink> {
    this.dials += 1;
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const number = this.#opened.length + 1;
    const note = (what: string): void => void this.done.push(`${number} ${what}`);
    const connection = {
      isOpen: true,
      socket: { bytesRead: 0, bytesWritten: 0 },
      ping: this.answersPing,
      retire: () => note('retire'),
      vacate: () => undefined,
      close: () => {
        note('close');
        events.onClosed(link, undefined);
        return Promise.resolve();
      },
    };
    const takeKept = (): void => undefined;
    const streams = { openCount: 0, queuedCount: 0 };
    const isOutdated = this.outdated > 0;
    if (isOutdated) this.outdated -= 1;
    const ofEvents = { takeKept, takeEventsOf: takeKept };
    const link = { connection, streams, ...ofEvents, throwUnlessOpen: takeKept, isOutdated } as unknown as ClientLink; // no more of it is looked at
    this.#opened.push({ link, events });
    return Promise.resolve(link);
  }

  #at(number: number): { readonly link: ClientLink; readonly events: LinkEvents } {
    const { [number - 1]: opened } = this.#opened;
    if (opened === undefined) throw new TypeError(`There is no connection ${number}`);
    return opened;
  }
}

let server: FakeServer;
let time: FakeClock;

beforeEach(() => {
  time = FakeClock.install();
  server = new FakeServer();
});

afterEach(() => {
  if (time.timerCount > 0) throw new Error('A timer is left behind');
});

describe('a pool of one server', () => {
  it('dials once for concurrent callers, and again only for the next caller', async () => {
    const pool = server.pool(false, { maxQueuedMessages: 3 });
    const links = await Promise.all([pool.connect('REQUEST'), pool.connect('REQUEST'), pool.connect('REQUEST')]);
    expect(new Set(links).size).toBe(1);
    server.lose();
    await time.advanceAsync(60_000);
    expect(server.dials).toBe(1);
    await pool.connect('REQUEST');
    expect(server.dials).toBe(2);
  });

  it('dials again for a caller that retries in the same turn as the failure', async () => {
    server.failure = refused;
    const pool = server.pool(false);
    const again = pool.connect('REQUEST').catch(() => {
      server.failure = undefined;
      return pool.connect('REQUEST');
    });
    await expect(again).resolves.toBeDefined();
  });

  it('counts the calls that wait for the dial, and refuses those beyond the queue limit', async () => {
    const pool = server.pool(false);
    const waiting = [pool.connect('REQUEST'), pool.connect('REQUEST')];
    expect(pool.counts()).toMatchObject({ waiting: 2 });
    await expect(pool.connect('REQUEST')).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL', sent: false });
    await Promise.all(waiting);
    expect(pool.counts()).toMatchObject({ waiting: 0 });
    expect(server.dials).toBe(1);
  });

  it('fails every call that waits for the dial with the error of the first dial', async () => {
    server.failure = refused;
    const pool = server.pool(true);
    const waiting = [pool.connect('REQUEST'), pool.connect('REQUEST')];
    for (const call of waiting) await expect(call).rejects.toBe(refused);
    expect(pool.counts()).toMatchObject({ waiting: 0 });
    expect(server.dials).toBe(1);
    await pool.close();
  });

  it('emits an event for every step', async () => {
    const pool = server.pool(false);
    await pool.connect('REQUEST');
    server.lose();
    server.failure = refused;
    await expect(pool.connect('REQUEST')).rejects.toBe(refused);
    expect(server.events.map(({ type }) => type)).toEqual([
      'connecting',
      'connected',
      'disconnected',
      'connecting',
      'failed',
    ]);
  });
});

describe('with redial', () => {
  it('dials automatically after a loss, with pauses that double up to the maximum and vary randomly', async () => {
    const pool = server.pool(true);
    await pool.connect('REQUEST');
    server.failure = refused;
    server.lose();
    await time.advanceAsync(20_000);
    const longest = [200, 400, 800, 1_000, 1_000, 1_000];
    for (const [index, longestMs] of longest.entries()) {
      expect(server.pauses()[index]).toBeGreaterThanOrEqual(longestMs / 2);
      expect(server.pauses()[index]).toBeLessThanOrEqual(longestMs);
    }
    expect(new Set(server.pauses().slice(3)).size).toBeGreaterThan(1);
    server.failure = undefined;
    await time.advanceAsync(1_000);
    expect(pool.counts().state).toBe('connected');
    await pool.close();
  });

  it('does not make a call wait for the pause', async () => {
    const pool = server.pool(true);
    server.failure = refused;
    await expect(pool.connect('REQUEST')).rejects.toBe(refused);
    server.failure = undefined;
    await expect(pool.connect('REQUEST')).resolves.toBeDefined();
    await pool.close();
  });

  it('stops redialing after close()', async () => {
    const pool = server.pool(true);
    server.failure = refused;
    await expect(pool.connect('REQUEST')).rejects.toBe(refused);
    await pool.close();
    await time.advanceAsync(60_000);
    expect(server.dials).toBe(1);
  });
});

describe('with waitForConnectionMs', () => {
  it.each([true, false])('a call waits until there is a connection, with or without redial: %s', async (redial) => {
    const pool = server.pool(redial, { waitForConnectionMs: 5_000 });
    server.failure = refused;
    const link = pool.connect('REQUEST');
    await time.advanceAsync(2_000);
    server.failure = undefined;
    await time.advanceAsync(1_000);
    await expect(link).resolves.toBeDefined();
    await pool.close();
  });

  it('fails a call at its deadline with the last dial error, and stops dialing', async () => {
    const pool = server.pool(false, { waitForConnectionMs: 5_000 });
    server.failure = refused;
    const failed = pool.connect('REQUEST').catch((error: unknown) => error);
    await time.advanceAsync(5_000);
    expect(await failed).toBe(refused);
    await time.advanceAsync(1_000);
    const { dials } = server;
    await time.advanceAsync(60_000);
    expect(server.dials).toBe(dials);
  });

  it('refuses calls beyond the queue limit', async () => {
    const pool = server.pool(false, { waitForConnectionMs: 5_000 });
    server.failure = refused;
    const waiting = [pool.connect('REQUEST'), pool.connect('REQUEST')].map((link) =>
      link.catch((error: unknown) => error),
    );
    await expect(pool.connect('REQUEST')).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL', sent: false });
    expect(pool.counts().waiting).toBe(2);
    await pool.close();
    for (const call of waiting) expect(await call).toMatchObject({ code: 'ERR_CLIENT_CLOSED', sent: false });
  });

  it.each(['ERR_ALERT', 'ERR_HANDSHAKE_MALFORMED', 'ERR_BAD_MAC', 'ERR_EARLY_BYTES'] as const)(
    'keeps waiting after %s, which any attacker on the path can cause, and fails with it at the deadline',
    async (code) => {
      const failure = new TransportError(code, 'refused', { sent: false });
      const pool = server.pool(false, { waitForConnectionMs: 5_000 });
      server.failure = failure;
      const link = pool.connect('REQUEST');
      await time.advanceAsync(4_000);
      server.failure = undefined;
      await time.advanceAsync(1_000);
      await expect(link).resolves.toBeDefined();
      server.lose();
      server.failure = failure;
      const failed = pool.connect('REQUEST').catch((error: unknown) => error);
      await time.advanceAsync(5_000);
      expect(await failed).toBe(failure);
      await time.advanceAsync(1_000);
    },
  );

  it.each([
    ['a random source that fails', new TransportError('ERR_INTERNAL', 'no randomness', { sent: false })],
    ['a missing key file', new Error('no key file')],
  ])('fails immediately with %s, which waiting cannot repair', async (_what, failure) => {
    const pool = server.pool(false, { waitForConnectionMs: 5_000 });
    server.failure = failure;
    await expect(pool.connect('REQUEST')).rejects.toBe(failure);
    await pool.close();
  });
});

describe('a renewal', () => {
  const full = new TransportError('ERR_OVERLOADED', 'full', { sent: false });
  const never = (): Promise<number> => new Promise(() => undefined);

  /** The server answers the next PING when the function that this returns is called. */
  function holdPong(): (roundTripMs: number) => void {
    let answer: (roundTripMs: number) => void = () => undefined;
    server.answersPing = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    return (roundTripMs) => answer(roundTripMs);
  }

  async function connected(limits: Partial<PoolOptions['limits']> = {}): Promise<Pool> {
    const pool = server.pool(false, limits);
    await pool.connect('REQUEST');
    return pool;
  }

  it('moves after the PONG on the new connection, then sends GOAWAY on the old one [R5.36]', async () => {
    const pool = await connected();
    const answer = holdPong();
    server.age();
    await time.advanceAsync(0);
    expect([server.dials, pool.open, server.done]).toEqual([2, server.linkAt(1), []]);
    answer(1);
    await time.advanceAsync(0);
    expect(pool.open).toBe(server.linkAt(2));
    expect(server.done).toEqual(['1 retire']);
    expect(server.types()).toEqual(['connecting', 'connected', 'renewed']);
    await expect(pool.connect('REQUEST')).resolves.toBe(server.linkAt(2));
  });

  it('fails after 5 s without a PONG, keeps the old connection and closes the new one [R5.36]', async () => {
    const pool = await connected();
    server.answersPing = never;
    server.age();
    await time.advanceAsync(4_999);
    expect(server.types()).toEqual(['connecting', 'connected']);
    await time.advanceAsync(1);
    expect(server.events.at(-1)).toMatchObject({ type: 'renewalFailed', error: { code: 'ERR_PING_TIMEOUT' } });
    expect(server.done).toEqual(['2 close']);
    expect(pool.open).toBe(server.linkAt(1));
    await pool.close();
  });

  it.each([
    ['the dial fails', () => (server.failure = refused)],
    ['the server closes the new connection after CONFIRM', () => (server.answersPing = () => Promise.reject(full))],
  ])('is retried with back-off as long as %s [R5.37]', async (_what, fail) => {
    const pool = await connected();
    fail();
    server.age();
    await time.advanceAsync(20_000);
    const failures = server.events.slice(2);
    const pauses = failures.map((event) => (event.type === 'renewalFailed' ? event.retryInMs : -1));
    expect(pauses.length).toBeGreaterThan(15);
    for (const [index, longestMs] of [200, 400, 800, 1_000, 1_000].entries()) {
      expect(pauses[index]).toBeGreaterThanOrEqual(longestMs / 2);
      expect(pauses[index]).toBeLessThanOrEqual(longestMs);
    }
    expect(pool.open).toBe(server.linkAt(1));
    server.failure = undefined;
    server.answersPing = () => Promise.resolve(1);
    await time.advanceAsync(1_000);
    expect(server.types().at(-1)).toBe('renewed');
    expect(pool.open).not.toBe(server.linkAt(1));
  });

  it('follows immediately if the key was replaced while the connection was opened, however often that happens', async () => {
    server.outdated = 3;
    const pool = await connected();
    await time.advanceAsync(0);
    expect([server.dials, pool.open]).toEqual([4, server.linkAt(4)]);
    expect(server.done).toEqual(['1 retire', '2 retire', '3 retire']);
    expect(server.types()).toEqual(['connecting', 'connected', 'renewed', 'renewed', 'renewed']);
  });

  it('fails if the new connection goes away before its PONG', async () => {
    const pool = await connected();
    server.answersPing = () => {
      Object.assign(server.linkAt(2).connection, { isOpen: false });
      return Promise.resolve(1);
    };
    server.age(1);
    await time.advanceAsync(0);
    expect(server.types().at(-1)).toBe('renewalFailed');
    expect(pool.open).toBe(server.linkAt(1));
    await pool.close();
  });

  it.each([0, 1_000])(
    'continues for the calls that wait for it if the server sends GOAWAY on the old connection: waiting up to %i ms',
    async (waitForConnectionMs) => {
      const pool = await connected({ waitForConnectionMs });
      const answer = holdPong();
      server.age();
      await time.advanceAsync(0);
      server.goAway(1);
      const link = pool.connect('REQUEST');
      expect(pool.counts().state).toBe('connecting');
      answer(1);
      await expect(link).resolves.toBe(server.linkAt(2));
      expect(server.dials).toBe(2);
      expect(server.types()).toEqual(['connecting', 'connected', 'draining', 'connecting', 'connected']);
      expect(server.done).toEqual([]); // the old one has answered GOAWAY by itself
    },
  );

  it.each([
    [0, 'ERR_PING_TIMEOUT'],
    [1_000, 'ERR_CONNECTION_CLOSED'],
  ])(
    'fails a call that waits for it with `sent: false` if it turns into the only dial: waiting up to %i ms',
    async (waitForConnectionMs, code) => {
      const pool = await connected({ waitForConnectionMs });
      server.answersPing = never;
      server.age();
      await time.advanceAsync(4_500);
      server.lose(1);
      server.failure = new TransportError('ERR_CONNECTION_CLOSED', 'closed'); // of the next dials
      const failed = pool.connect('REQUEST').catch((error: unknown) => error);
      await time.advanceAsync(waitForConnectionMs + 500);
      expect(await failed).toMatchObject({ code, sent: false });
      await pool.close();
    },
  );

  it('is cancelled if the old connection closes while no dial is in progress', async () => {
    const pool = await connected();
    server.failure = refused;
    server.age();
    await time.advanceAsync(0);
    server.lose(1);
    expect(pool.counts().state).toBe('idle');
    await time.advanceAsync(60_000);
    expect(server.dials).toBe(2);
  });

  it('waits while four connections drain, and continues when one of them has ended [R5.38]', async () => {
    const pool = await connected();
    for (let renewals = 1; renewals <= 4; renewals++) {
      server.age();
      await time.advanceAsync(0);
      expect(pool.open).toBe(server.linkAt(renewals + 1));
    }
    server.age();
    server.age();
    await time.advanceAsync(60_000);
    expect([server.dials, pool.open]).toEqual([5, server.linkAt(5)]);
    server.end(3);
    await time.advanceAsync(0);
    expect(pool.open).toBe(server.linkAt(6));
  });

  it('stops on close() during the dial, before the PONG and during a pause', async () => {
    for (const stage of [refused, undefined]) {
      const pool = await connected();
      server.failure = stage;
      server.answersPing = never;
      server.age();
      await time.advanceAsync(stage === undefined ? 5_000 : 0);
      await pool.close();
      const { dials } = server;
      await time.advanceAsync(60_000);
      expect(server.dials).toBe(dials);
      expect(server.types().at(-1)).toBe('disconnected');
      server.failure = undefined;
    }
  });
});

describe('a connection whose key is revoked', () => {
  it('is dialed again immediately, without redial and without a call', async () => {
    const pool = server.pool(false);
    await pool.connect('REQUEST');
    server.revoke();
    expect(pool.counts().state).toBe('connecting');
    const waiting = pool.connect('REQUEST');
    await time.advanceAsync(0);
    await expect(waiting).resolves.toBe(server.linkAt(2));
    expect(server.types()).toEqual(['connecting', 'connected', 'disconnected', 'connecting', 'connected']);
  });

  it.each(['disconnected', 'connecting'])(
    'is not dialed again if a listener of "%s" closes the client',
    async (type) => {
      const pool = server.pool(false);
      await pool.connect('REQUEST');
      server.onEvent = (event) => {
        if (event.type === type) void pool.close();
      };
      server.revoke();
      await time.advanceAsync(60_000);
      expect(server.dials).toBe(1);
      expect(pool.counts().state).toBe('idle');
    },
  );

  it('is not dialed a second time if a renewal is running', async () => {
    const pool = server.pool(false);
    await pool.connect('REQUEST');
    server.age();
    server.revoke(1);
    await time.advanceAsync(0);
    expect([server.dials, pool.open]).toEqual([2, server.linkAt(2)]);
    expect(server.types()).toEqual(['connecting', 'connected', 'disconnected', 'connecting', 'connected']);
  });

  it('is not dialed if another connection has replaced it', async () => {
    const pool = server.pool(false);
    await pool.connect('REQUEST');
    server.age();
    await time.advanceAsync(0);
    server.revoke(1);
    await time.advanceAsync(60_000);
    expect([server.dials, pool.open]).toEqual([2, server.linkAt(2)]);
  });
});
