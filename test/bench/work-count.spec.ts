// What was won without a clock: how often both ends call the system and the ciphers for one request. The bounds leave room
// for other ways to batch, and none for a write or a cipher call of every message.
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';
import { connectClient } from './peers/nest.js';
import { echoOf } from './work/echo.js';
import { keepInFlight } from './work/in-flight.js';

const IN_FLIGHT = 64;
const REQUESTS = 2048;
const PAYLOAD = { as: 'json', payloadBytes: 256 } as const;

afterEach(async () => {
  vi.restoreAllMocks();
  await endAll();
});

interface Work {
  readonly clientWrites: number;
  readonly serverWrites: number;
  readonly cipherCalls: number;
  readonly decipherCalls: number;
}

/** What both ends did for one of many requests, this many under way. */
async function workPerRequest(inFlight: number): Promise<Work> {
  const server = await startServer();
  const client = newClient(portOf(server));
  const request = echoOf(await connectClient(client), PAYLOAD);
  await keepInFlight(request, inFlight, () => false); // what is done once is done

  const writes = [vi.spyOn(Socket.prototype, '_write'), vi.spyOn(Socket.prototype, '_writev')];
  const encryptions = spyOnUpdate(createCipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16)));
  const decryptions = spyOnUpdate(createDecipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16)));
  let left = REQUESTS - inFlight;
  await keepInFlight(request, inFlight, () => left-- > 0);

  const sockets: readonly unknown[] = writes.flatMap((spy) => spy.mock.contexts);
  const clientSocket = client.unwrap();
  const clientWrites = sockets.filter((socket) => socket === clientSocket).length;
  return {
    clientWrites: clientWrites / REQUESTS,
    serverWrites: (sockets.length - clientWrites) / REQUESTS,
    cipherCalls: encryptions.mock.calls.length / REQUESTS,
    decipherCalls: decryptions.mock.calls.length / REQUESTS,
  };
}

/** Of every object of its kind. */
function spyOnUpdate(cipher: { update: (bytes: Buffer) => Buffer }) {
  return vi.spyOn(Object.getPrototypeOf(cipher) as typeof cipher, 'update');
}

describe('one of 64 concurrent requests', () => {
  it('shares its writes with others, at both ends', async () => {
    const { clientWrites, serverWrites } = await workPerRequest(IN_FLIGHT);
    for (const perRequest of [clientWrites, serverWrites]) {
      expect(perRequest).toBeGreaterThan(0);
      expect(perRequest).toBeLessThan(0.2);
    }
  });

  it('shares its cipher calls with others', async () => {
    const { cipherCalls, decipherCalls } = await workPerRequest(IN_FLIGHT);
    for (const perRequest of [cipherCalls, decipherCalls]) {
      expect(perRequest).toBeGreaterThan(0);
      expect(perRequest).toBeLessThan(0.5);
    }
  });
});

describe('one of 512 concurrent requests', () => {
  it('does not wait until all the others are written', async () => {
    const { clientWrites, serverWrites } = await workPerRequest(512);
    for (const perRequest of [clientWrites, serverWrites]) {
      expect(perRequest).toBeGreaterThan(0.01);
      expect(perRequest).toBeLessThan(0.2);
    }
  });
});

describe('a single request', () => {
  it('takes one write at each end, and sometimes CREDIT', async () => {
    const { clientWrites, serverWrites } = await workPerRequest(1);
    for (const perRequest of [clientWrites, serverWrites]) {
      expect(perRequest).toBeGreaterThanOrEqual(1);
      expect(perRequest).toBeLessThan(1.01); // one for 128 KiB
    }
  });
});
