import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { AppProcesses } from '../../support/app-process.js';
import type { AppProcess } from '../../support/app-process.js';
import { flipBit, TcpProxy } from '../../support/tcp-proxy.js';
import { call, post } from '../../support/http-call.js';

const MESSAGE_1_BYTES = 80;
const MESSAGE_2_BYTES = 104;
const RECORD_LENGTH_BYTES = 2;
const BLOCK_BYTES = 16;
const DEADLINE_MS = 250;

const apps = new AppProcesses();
let server: AppProcess;
let client: AppProcess;
let url: string;
let health: readonly string[];
let proxy: TcpProxy;

beforeAll(async () => {
  server = await apps.start('server');
  const addresses = await server.ready();
  proxy = await TcpProxy.to(Number(addresses['channel']?.split(':')[1]));
  client = await apps.start('client', { SEALWIRE_SERVERS: `127.0.0.1:${proxy.port}`, HTTP_RATE_LIMIT: '999999999' });
  url = (await client.ready())['trigger'] ?? '';
  health = [addresses['health'] ?? '', `${url}/health`];
  await client.logged('Connected to the server');
});

afterEach(() => proxy.reset());

afterAll(async () => {
  proxy.close();
  await apps.end();
});

/** The sealed bodies of the records that one direction of a recorded connection carried. */
function recordsIn(stream: Buffer, handshakeBytes: number): Buffer[] {
  const records: Buffer[] = [];
  for (let at = handshakeBytes; at < stream.length; at += RECORD_LENGTH_BYTES + stream.readUInt16BE(at)) {
    records.push(stream.subarray(at + RECORD_LENGTH_BYTES, at + RECORD_LENGTH_BYTES + stream.readUInt16BE(at)));
  }
  return records;
}

function blocksIn(records: readonly Buffer[]): string[] {
  return records.flatMap((record) =>
    Array.from({ length: record.length / BLOCK_BYTES }, (_, index) =>
      record.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES).toString('hex'),
    ),
  );
}

describe('an observer of the connection between the two apps', () => {
  it('never sees the text, the pattern, the metadata of HTTP, or two equal blocks for equal messages', async () => {
    proxy.reset();
    for (let sent = 0; sent < 200; sent++) {
      expect(await post(`${url}/messages`, { text: 'attack at dawn, attack at dawn' })).toMatchObject({ status: 200 });
    }
    for (const [direction, handshakeBytes] of [
      ['c2s', MESSAGE_1_BYTES],
      ['s2c', MESSAGE_2_BYTES],
    ] as const) {
      const seen = proxy.bytes(direction);
      for (const plain of ['attack', 'dawn', 'message', 'receivedAt', 'text']) expect(seen.includes(plain)).toBe(false);
      const blocks = blocksIn(recordsIn(seen, handshakeBytes));
      expect(blocks.length).toBeGreaterThan(200 * 3);
      expect(new Set(blocks).size).toBe(blocks.length);
    }
  });
});

describe('an attacker who flips one bit between the two apps', () => {
  async function lengthsOfOneCall(): Promise<Record<'c2s' | 's2c', number>> {
    proxy.reset();
    expect(await post(`${url}/messages`, { text: 'unharmed' })).toMatchObject({ status: 200 });
    return { c2s: proxy.bytes('c2s').length, s2c: proxy.bytes('s2c').length };
  }

  it.each([
    ['message 1, of CONFIRM or of the request', 'c2s'],
    ['message 2 or of the answer', 's2c'],
  ] as const)(
    'ends only that connection, whichever byte of %s it is in',
    async (_what, direction) => {
      const bytes = (await lengthsOfOneCall())[direction];
      for (let at = 0; at < bytes; at++) {
        const bit = at * 8 + (at % 8); // every bit is flipped in proxy.spec.ts, between libraries
        proxy.reset();
        proxy.alter = flipBit(direction, bit);
        const answer = await post(`${url}/messages?timeout=${DEADLINE_MS}`, { text: `flipped ${direction} ${bit}` });
        // A length that has grown makes its reader wait for more: the caller's deadline ends that.
        expect([503, 504], `bit ${bit}: ${answer.text}`).toContain(answer.status);
        expect(answer.json).toMatchObject({ code: expect.stringMatching(/^ERR_/) });
      }
      expect(await lengthsOfOneCall()).toMatchObject({ [direction]: bytes });
      expect(server.log.filter(({ message }) => message.includes('Decrypted: flipped c2s'))).toEqual([]);
      for (const address of health) expect(await call(address, { method: 'GET' })).toMatchObject({ status: 200 });
      expect(server.stderr + client.stderr).toBe('');
    },
    60_000,
  );
});
