import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
import { TransportError } from '../errors.js';
import type { Link, LinkEvents } from './client-link.js';
import { Connector } from './connector.js';
import type { ClientConnectionEvent, ConnectorOptions } from './connector.js';

const LIMITS = { redialMinMs: 100, redialMaxMs: 1_000, waitForConnectionMs: 0, maxQueuedMessages: 2 };
const refused = new TransportError('ERR_CONNECT_FAILED', 'refused', { sent: false });

/** A server that can be up or down, as a connector sees it: it never looks into a link. */
class FakeServer {
  failure: unknown;
  dials = 0;
  readonly events: ClientConnectionEvent[] = [];
  #last: { readonly link: Link; readonly events: LinkEvents } | undefined;

  connector(redial: boolean, limits: Partial<ConnectorOptions['limits']> = {}): Connector {
    return new Connector({
      redial,
      limits: { ...LIMITS, ...limits },
      open: (_signal, events) => this.#open(events),
      changed: (event) => this.events.push(event),
    });
  }

  lose(): void {
    this.#last?.events.closed(this.#last.link, new TransportError('ERR_CONNECTION_LOST', 'lost'));
  }

  pauses(): number[] {
    return this.events.flatMap((event) => (event.type === 'failed' ? (event.retryInMs ?? -1) : []));
  }

  #open(events: LinkEvents): Promise<Link> {
    this.dials += 1;
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const link = { connection: { close: () => Promise.resolve() } } as unknown as Link;
    this.#last = { link, events };
    return Promise.resolve(link);
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

describe('a connector', () => {
  it('dials once, however many ask, and again only with the next one who asks', async () => {
    const connector = server.connector(false);
    const links = await Promise.all([connector.connect(), connector.connect(), connector.connect()]);
    expect(new Set(links).size).toBe(1);
    server.lose();
    await time.advanceAsync(60_000);
    expect(server.dials).toBe(1);
    await connector.connect();
    expect(server.dials).toBe(2);
  });

  it('dials anew for whoever tries again in the very turn of the failure', async () => {
    server.failure = refused;
    const connector = server.connector(false);
    const again = connector.connect().catch(() => {
      server.failure = undefined;
      return connector.connect();
    });
    await expect(again).resolves.toBeDefined();
  });

  it('tells every step by an event', async () => {
    const connector = server.connector(false);
    await connector.connect();
    server.lose();
    server.failure = refused;
    await expect(connector.connect()).rejects.toBe(refused);
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
  it('dials by itself after a loss, with pauses that double up to the longest and vary by chance', async () => {
    const connector = server.connector(true);
    await connector.connect();
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
    expect(connector.state).toBe('connected');
    await connector.close();
  });

  it('does not make a call wait for the pause', async () => {
    const connector = server.connector(true);
    server.failure = refused;
    await expect(connector.connect()).rejects.toBe(refused);
    server.failure = undefined;
    await expect(connector.connect()).resolves.toBeDefined();
    await connector.close();
  });

  it('ends with close()', async () => {
    const connector = server.connector(true);
    server.failure = refused;
    await expect(connector.connect()).rejects.toBe(refused);
    await connector.close();
    await time.advanceAsync(60_000);
    expect(server.dials).toBe(1);
  });
});

describe('with waitForConnectionMs', () => {
  it.each([true, false])('a call waits until there is a connection, redial or not: %s', async (redial) => {
    const connector = server.connector(redial, { waitForConnectionMs: 5_000 });
    server.failure = refused;
    const link = connector.connect();
    await time.advanceAsync(2_000);
    server.failure = undefined;
    await time.advanceAsync(1_000);
    await expect(link).resolves.toBeDefined();
    await connector.close();
  });

  it('fails at its deadline as the last dial did, and nothing dials any more', async () => {
    const connector = server.connector(false, { waitForConnectionMs: 5_000 });
    server.failure = refused;
    const failed = connector.connect().catch((error: unknown) => error);
    await time.advanceAsync(5_000);
    expect(await failed).toBe(refused);
    await time.advanceAsync(1_000);
    const { dials } = server;
    await time.advanceAsync(60_000);
    expect(server.dials).toBe(dials);
  });

  it('takes no more calls than may be queued', async () => {
    const connector = server.connector(false, { waitForConnectionMs: 5_000 });
    server.failure = refused;
    const waiting = [connector.connect(), connector.connect()].map((link) => link.catch((error: unknown) => error));
    await expect(connector.connect()).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL', sent: false });
    expect(connector.waitingCount).toBe(2);
    await connector.close();
    for (const call of waiting) expect(await call).toMatchObject({ code: 'ERR_CLIENT_CLOSED', sent: false });
  });

  it.each(['ERR_ALERT', 'ERR_HANDSHAKE_MALFORMED', 'ERR_OPEN_FAILED', 'ERR_EARLY_BYTES'] as const)(
    'waits on after %s, which anybody on the path can cause, and fails with it at the deadline',
    async (code) => {
      const failure = new TransportError(code, 'refused', { sent: false });
      const connector = server.connector(false, { waitForConnectionMs: 5_000 });
      server.failure = failure;
      const link = connector.connect();
      await time.advanceAsync(4_000);
      server.failure = undefined;
      await time.advanceAsync(1_000);
      await expect(link).resolves.toBeDefined();
      server.lose();
      server.failure = failure;
      const failed = connector.connect().catch((error: unknown) => error);
      await time.advanceAsync(5_000);
      expect(await failed).toBe(failure);
      await time.advanceAsync(1_000);
    },
  );

  it.each([
    ['a random source that fails', new TransportError('ERR_INTERNAL', 'no randomness', { sent: false })],
    ['a missing key file', new Error('no key file')],
  ])('tells of %s at once, which no waiting mends', async (_what, failure) => {
    const connector = server.connector(false, { waitForConnectionMs: 5_000 });
    server.failure = failure;
    await expect(connector.connect()).rejects.toBe(failure);
    await connector.close();
  });
});
