import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import { afterEach, describe, expect, it } from 'vitest';

import { Random } from '../../support/random.js';
import { drawConnection } from './fault-plan.js';
import type { ConnectionPlan, Incident, PathPlan } from './fault-plan.js';
import { FaultProxy } from './fault-proxy.js';

const SENT = new Random(1).bytes(3_000);
const AT_BYTE = 1_000;
const PAUSE_MS = 300;
/** Timers count whole milliseconds, and may be one early. */
const LEAST_MS = PAUSE_MS - 2;

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A server that keeps what it receives, and says "bye" after the end of it. */
class Receiver {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  received = Buffer.alloc(0);
  /** How it noticed the end. */
  seen: 'nothing' | 'end' | 'close' | 'reset' = 'nothing';

  private constructor() {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('data', (chunk: Buffer) => void (this.received = Buffer.concat([this.received, chunk])));
      socket.on('end', () => {
        this.seen = 'end';
        socket.end('bye');
      });
      socket.on('error', () => void (this.seen = 'reset'));
      socket.on('close', () => void (this.seen = this.seen === 'nothing' ? 'close' : this.seen));
    });
    ends.push(() => {
      for (const socket of this.#sockets) socket.destroy();
      this.#server.close();
    });
  }

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await once(receiver.#server.listen(0, '127.0.0.1'), 'listening');
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
}

async function send(plan: Partial<PathPlan> | 'REFUSED') {
  const receiver = await Receiver.start();
  const path = { delayMs: 0, pieceBytes: Infinity, incident: undefined };
  const drawn: ConnectionPlan =
    plan === 'REFUSED' ? { at: 'REFUSED' } : { at: 'ACCEPTED', c2s: { ...path, ...plan }, s2c: path };
  const proxy = await FaultProxy.start(
    () => receiver.port,
    () => drawn,
  );
  ends.push(() => proxy.close());
  const client = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
  ends.push(() => client.destroy());
  const closed = new Promise<string | undefined>((resolve) => {
    client.on('error', (error: NodeJS.ErrnoException) => resolve(error.code)).on('close', () => resolve(undefined));
  });
  const startMs = performance.now();
  client.write(SENT);
  return { receiver, proxy, client, closed, startMs };
}

async function arrived(receiver: Receiver, bytes: number): Promise<void> {
  await expect.poll(() => receiver.received.length).toBe(bytes);
}

describe('a proxy', () => {
  it('passes everything on, and the ends of both directions', async () => {
    const { receiver, client, closed, proxy } = await send({});
    client.end();
    const [answer] = await once(client, 'data');
    expect(String(answer)).toBe('bye');
    expect(await closed).toBeUndefined();
    expect(receiver.received).toEqual(SENT);
    expect([...proxy.injected]).toEqual([]);
  });

  it('splits and delays, and loses nothing', async () => {
    const { receiver, startMs } = await send({ pieceBytes: 1_000, delayMs: PAUSE_MS / 3 });
    await arrived(receiver, SENT.length);
    expect(performance.now() - startMs).toBeGreaterThan(LEAST_MS);
    expect(receiver.received).toEqual(SENT);
  });

  it('flips one bit', async () => {
    const { receiver } = await send({ incident: { kind: 'corrupt', atByte: AT_BYTE, bit: 3 } });
    await arrived(receiver, SENT.length);
    const expected = Buffer.from(SENT);
    expected[AT_BYTE] = (expected[AT_BYTE] ?? 0) ^ 8;
    expect(receiver.received).toEqual(expected);
  });

  it.each(['stall', 'holdBack'] as const)('passes on later what comes after a %s', async (kind) => {
    const { receiver, startMs, client } = await send({ incident: { kind, atByte: AT_BYTE, ms: PAUSE_MS } });
    await arrived(receiver, AT_BYTE);
    client.write('more');
    await arrived(receiver, SENT.length + 4);
    expect(performance.now() - startMs).toBeGreaterThan(LEAST_MS);
  });

  it.each<[Incident, Receiver['seen'], string | undefined]>([
    [{ kind: 'cut', atByte: AT_BYTE }, 'end', undefined],
    [{ kind: 'reset', atByte: AT_BYTE }, 'reset', 'ECONNRESET'],
  ])('ends both directions: %o', async (incident, seen, code) => {
    const { receiver, closed, client } = await send({ incident });
    client.on('end', () => client.end());
    expect(await closed).toBe(code);
    await expect.poll(() => receiver.seen).toBe(seen);
    expect(receiver.received.length).toBeLessThanOrEqual(AT_BYTE);
  });

  it('closes one half: the receiver gets its end, and its answer comes back', async () => {
    const { receiver, client } = await send({ incident: { kind: 'halfClose', atByte: AT_BYTE } });
    const [answer] = await once(client, 'data');
    expect(String(answer)).toBe('bye');
    expect(receiver.received).toEqual(SENT.subarray(0, AT_BYTE));
  });

  it('abandons: the sender loses the connection, and the receiver gets what was on its way', async () => {
    const { receiver, client, startMs } = await send({ incident: { kind: 'abandon', atByte: AT_BYTE, ms: PAUSE_MS } });
    client.on('end', () => client.end());
    await arrived(receiver, SENT.length);
    expect(performance.now() - startMs).toBeGreaterThan(LEAST_MS);
    await expect.poll(() => receiver.seen).toBe('end');
  });

  it('refuses a connection', async () => {
    const { closed, receiver } = await send('REFUSED');
    expect(await closed).toMatch(/^(?:ECONNRESET|EPIPE)$/);
    expect(receiver.received.length).toBe(0);
  });

  it.each(['cut', 'reset'] as const)('ends all its connections by a %s, and counts it', async (kind) => {
    const { receiver, proxy, client, closed } = await send({});
    await arrived(receiver, SENT.length);
    client.on('end', () => client.end());
    proxy.cut(kind);
    expect(await closed).toBe(kind === 'cut' ? undefined : 'ECONNRESET');
    expect([...proxy.injected]).toEqual([[kind, 1]]);
  });
});

describe('the plan of a connection', () => {
  it('is the same for the same seed', () => {
    const draw = (seed: number): ConnectionPlan => drawConnection(new Random(seed), 50);
    expect(draw(3)).toEqual(draw(3));
    expect(Array.from({ length: 20 }, (_, seed) => draw(seed))).not.toEqual(
      Array.from({ length: 20 }, (_, seed) => draw(seed + 100)),
    );
  });

  it('has no incident without harshness, and every kind of incident with it', () => {
    const kindsAt = (harshness: number): ReadonlySet<string | undefined> =>
      new Set(
        Array.from({ length: 1_000 }, (_, seed) => {
          const plan = drawConnection(new Random(seed), harshness);
          return plan.at === 'REFUSED' ? 'refuse' : plan.c2s.incident?.kind;
        }),
      );
    expect(kindsAt(0)).toEqual(new Set([undefined]));
    expect(kindsAt(100).size).toBe(8);
  });
});
