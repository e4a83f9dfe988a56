// docker-compose.nats.yml: the same apps through a NATS server that three servers share.
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { compose as composeAlone, firstReceipt, linesOf, Messages, START_TIMEOUT_MS } from './stack.js';
import type { Receipt } from './stack.js';

const BUILD_TIMEOUT_MS = 240_000;
const SERVERS = 3;
const AT_ONCE = 4;

const FILE = fileURLToPath(new URL('../../docker-compose.nats.yml', import.meta.url));
let first: Receipt;

/** As `docker compose -f docker-compose.yml -f docker-compose.nats.yml`. */
function compose(args: readonly string[], timeoutMs?: number): Promise<string> {
  return composeAlone(['-f', FILE, ...args], timeoutMs);
}

beforeAll(async () => {
  await compose(['build'], BUILD_TIMEOUT_MS);
  await compose(['up', '-d', '--scale', `server=${SERVERS}`], START_TIMEOUT_MS * 2);
  first = await firstReceipt();
});

afterAll(() => compose(['down', '--volumes', '--rmi', 'local']));

describe('the stack with NATS', () => {
  it('answers through the broker, which has no key file', async () => {
    expect(first).toMatchObject({ text: 'Hello Server!', keyId: expect.stringMatching(/^[0-9a-f]{16}$/) });
    const mounts = linesOf(await compose(['exec', '-T', 'nats', 'cat', '/proc/mounts']));
    expect(mounts.filter((line) => line.includes(' /keys '))).toEqual([]);
  });

  it('shares the messages among the servers', async () => {
    const messages = new Messages(AT_ONCE);
    const names = (): number => new Set(messages.receipts.map(({ server }) => server)).size;
    await expect.poll(names, { timeout: START_TIMEOUT_MS, interval: 100 }).toBe(SERVERS);
    await messages.stop();
    expect(messages.failures).toEqual([]);
  });

  it('continues with one server, and loses no message that is sent afterwards', async () => {
    await compose(['up', '-d', '--scale', 'server=1'], START_TIMEOUT_MS);
    const messages = new Messages(AT_ONCE);
    await expect.poll(() => messages.receipts.length, { timeout: START_TIMEOUT_MS }).toBeGreaterThan(100);
    await messages.stop();
    expect(messages.failures).toEqual([]);
    expect(new Set(messages.receipts.map(({ server }) => server)).size).toBe(1);
  });
});
