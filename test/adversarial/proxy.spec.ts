import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

import { afterAll, describe, expect, it } from 'vitest';
import { firstValueFrom } from 'rxjs';

import type { SealwireClient, SealwireServer, SealwireServerOptions } from '@sealwire/transport';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';
import { flipBit, TcpProxy } from '../support/tcp-proxy.js';

const MESSAGE_1_BYTES = 80;
const MESSAGE_2_BYTES = 104;
const CONFIRM_BYTES = 98;
/** More than the 16 bits of a length, which are waited for; few enough to come to their bit in time on a busy machine. */
const FLIPS_AT_ONCE = 32;
/** A flipped length or type can leave both sides waiting for bytes: one deadline for all that wait at the same time. */
const DEADLINE_MS = 4_000;
const WAITING = { timeouts: { connectMs: DEADLINE_MS, closeMs: 100 }, requestTimeoutMs: DEADLINE_MS };
const CROWDED = {
  timeouts: { handshakeMs: DEADLINE_MS, recordMs: DEADLINE_MS, closeMs: 100 },
  limits: { maxStrangersPerAddress: 1_024 },
};
const ALERT = 'e1534c5701ff0000';

const proxies: TcpProxy[] = [];
const sockets: Socket[] = [];

// At the end, as some of the cases run concurrently.
afterAll(async () => {
  for (const proxy of proxies.splice(0)) proxy.close();
  for (const socket of sockets.splice(0)) socket.destroy();
  await endAll();
});

async function setUp(limits: Partial<SealwireServerOptions> = {}) {
  let handled = 0;
  const server = await startServer(limits);
  server.addHandler('count', () => Promise.resolve(++handled));
  const proxy = await TcpProxy.to(portOf(server));
  proxies.push(proxy);
  return { server, proxy, handled: () => handled };
}

/** The answer, or the code of the failure: every call of it ends. */
function outcome(client: SealwireClient, data: unknown = 'x'): Promise<unknown> {
  return firstValueFrom(client.send('count', data)).catch((error: { code?: string }) => error.code);
}

async function rawSocket(port: number, bytes: string | Buffer): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk)).on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(bytes);
  await once(socket, 'close');
  return Buffer.concat(received);
}

describe('an observer of the connection', () => {
  it('never sees the text, the pattern, or two equal ciphertext blocks for equal messages', async () => {
    const { server, proxy } = await setUp();
    const client = newClient(proxy.port);
    for (let i = 0; i < 200; i++) await firstValueFrom(client.send('echo', 'attack at dawn, attack at dawn, attack'));
    for (const direction of ['c2s', 's2c'] as const) {
      const seen = proxy.bytes(direction);
      for (const plain of ['attack', 'echo']) expect(seen.includes(plain)).toBe(false);
      const start = direction === 'c2s' ? MESSAGE_1_BYTES : MESSAGE_2_BYTES;
      const blocks = new Set<string>();
      let count = 0;
      for (let at = start; at + 2 <= seen.length; at += 2 + seen.readUInt16BE(at)) {
        for (let block = at + 2; block < at + 2 + seen.readUInt16BE(at); block += 16, count++) {
          blocks.add(seen.subarray(block, block + 16).toString('hex'));
        }
      }
      expect(count).toBeGreaterThan(400);
      expect(blocks.size).toBe(count);
    }
    expect(portOf(server)).toBeGreaterThan(0);
  });
});

describe('an attacker who flips one bit', () => {
  /** The outcomes of one call for each bit. */
  async function flipEach(server: SealwireServer, direction: 'c2s' | 's2c', start: number, length: number) {
    const bits = Array.from({ length: length * 8 }, (_, index) => start * 8 + index).values();
    const results: unknown[] = [];
    const flipNext = async (): Promise<void> => {
      for (const bit of bits) results.push(await flipOne(server, direction, bit));
    };
    await Promise.all(Array.from({ length: FLIPS_AT_ONCE }, flipNext));
    return results;
  }

  /** Over a proxy of its own, and again where the deadline came before the bit. */
  async function flipOne(server: SealwireServer, direction: 'c2s' | 's2c', bit: number): Promise<unknown> {
    for (;;) {
      const own = await TcpProxy.to(portOf(server));
      proxies.push(own);
      own.alter = flipBit(direction, bit);
      const result = await outcome(newClient(own.port, WAITING));
      const hasCome = own.bytes(direction).length > bit >> 3;
      own.close();
      if (hasCome) return result;
    }
  }

  /** The results of the calls that did not fail, the number handled, and the answer to an unaltered call afterwards. */
  async function flipAndCall(direction: 'c2s' | 's2c', start: number, length: number) {
    const { server, proxy, handled } = await setUp(CROWDED);
    const results = await flipEach(server, direction, start, length);
    const answers = results.filter((result) => typeof result !== 'string' || !result.startsWith('ERR_'));
    const before = handled();
    return { answers, handled: before, next: Number(await outcome(newClient(proxy.port))) - before };
  }

  it.each([
    ['message 1', 'c2s', 0, MESSAGE_1_BYTES],
    ['message 2', 's2c', 0, MESSAGE_2_BYTES],
  ] as const)('gets no connection, whichever bit of %s it is', async (_what, direction, start, length) => {
    expect(await flipAndCall(direction, start, length)).toEqual({ answers: [], handled: 0, next: 1 });
  });

  it('ends the connection, whichever bit of CONFIRM it is', async () => {
    expect(await flipAndCall('c2s', MESSAGE_1_BYTES, CONFIRM_BYTES)).toEqual({ answers: [], handled: 0, next: 1 });
  });

  // At once, as most of their time is the wait for the deadline.
  it.concurrent.each([
    ['the first request', 'c2s', MESSAGE_1_BYTES + CONFIRM_BYTES, 50, 0],
    ['the first answer', 's2c', MESSAGE_2_BYTES, 34, expect.any(Number)],
  ] as const)(
    'ends the connection, whichever bit of %s it is',
    async (_what, direction, start, length, handled: unknown) => {
      expect(await flipAndCall(direction, start, length)).toEqual({ answers: [], handled, next: 1 });
    },
  );
});

describe('an attacker who cuts, repeats, drops or reflects records', () => {
  it.each([
    ['repeats a record', (chunk: Buffer) => Buffer.concat([chunk, chunk])],
    ['drops a record', () => Buffer.alloc(0)],
    ['inserts a forged record', () => Buffer.concat([Buffer.of(0, 32), Buffer.alloc(32, 7)])],
  ])('%s: the connection ends, and nothing is handled twice', async (_what, change) => {
    const { proxy, handled } = await setUp();
    const client = newClient(proxy.port);
    expect(await outcome(client)).toBe(1);
    const sealed = proxy.recorded.c2s.length;
    proxy.alter = (chunk, _offset, direction) =>
      direction === 'c2s' && proxy.recorded.c2s.length === sealed + 1 ? change(chunk) : chunk;
    const altered = outcome(client);
    await expect.poll(() => proxy.recorded.c2s.length).toBeGreaterThan(sealed);
    await outcome(client); // what is missing shows by the next record
    await altered;
    expect(handled()).toBeLessThanOrEqual(3);
    expect(await outcome(newClient(proxy.port))).toBe(handled());
  });

  it('ends the stream without CLOSE, and pending calls fail', async () => {
    const { server, proxy } = await setUp();
    server.addHandler('never', () => new Promise(() => undefined));
    const client = newClient(proxy.port);
    await client.connect();
    const pending = firstValueFrom(client.send('never', 1)).catch((error: { code: string; sent: boolean }) => error);
    while (proxy.recorded.c2s.length < 2) await once(proxy.last?.client ?? server.unwrap(), 'data');
    proxy.last?.client.end();
    expect(await pending).toMatchObject({ code: 'ERR_TRUNCATED', sent: true });
  });

  it('reflects the client’s own records, and the connection ends', async () => {
    const { proxy } = await setUp();
    const client = newClient(proxy.port);
    await client.connect();
    proxy.alter = (chunk, _offset, direction) => {
      if (direction === 'c2s') proxy.last?.client.write(chunk);
      return Buffer.alloc(0);
    };
    expect(await outcome(client)).toBe('ERR_BAD_MAC');
  });
});

describe('a stranger', () => {
  it.each([
    ['plain HTTP', 'GET / HTTP/1.1\r\n\r\n'],
    ['a TLS hello', Buffer.from('16030100050100000100', 'hex')],
    ['a packet of Nest’s own TCP', '12#{"pattern":1}'],
    ['the raw wire of the original demo', Buffer.alloc(16, 0x5a)],
    ['message 1 with bytes after it', Buffer.alloc(200, 0xe1)],
  ])('gets only the alert after %s', async (_what, bytes) => {
    const { server } = await setUp();
    expect((await rawSocket(portOf(server), bytes)).toString('hex')).toBe(ALERT);
  });

  it('gets message 2 for a replayed message 1, and is disconnected at the deadline without a handler run', async () => {
    const { server, proxy, handled } = await setUp({ timeouts: { handshakeMs: 1_000 } });
    expect(await outcome(newClient(proxy.port))).toBe(1);
    const answer = await rawSocket(portOf(server), proxy.bytes('c2s').subarray(0, MESSAGE_1_BYTES));
    expect(answer).toHaveLength(MESSAGE_2_BYTES);
    expect(handled()).toBe(1);
  });

  it('does not lock others out while silent, however many strangers there are', async () => {
    const { server } = await setUp({ timeouts: { handshakeMs: 2_000 } });
    const crowd = Array.from({ length: 200 }, () => connect(portOf(server), '127.0.0.1').on('error', () => undefined));
    sockets.push(...crowd);
    const gone = Promise.all(crowd.map((socket) => once(socket.resume(), 'close')));
    await Promise.all(crowd.map((socket) => once(socket, 'connect')));
    expect(await outcome(newClient(portOf(server)))).toBe(1);
    expect(await gone).toHaveLength(200);
  });
});
