import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';

import { deliver } from './deliver.js';
import type { DeliveryOptions } from './deliver.js';

const MORE_THAN_A_SYSTEM_BUFFERS = Buffer.alloc(64 * 1_048_576);

/** Accepts, and reads nothing. */
async function startStalled(accepted: (socket: Socket) => void = () => undefined): Promise<number> {
  const stalled = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    accepted(socket);
  });
  onTestFinished(() => void stalled.close());
  await once(stalled.listen(0, '127.0.0.1'), 'listening');
  return (stalled.address() as AddressInfo).port;
}

function delivery(port: number, options: Partial<DeliveryOptions> = {}): Promise<void> {
  return deliver({
    endpoint: { host: '127.0.0.1', port },
    ciphertext: MORE_THAN_A_SYSTEM_BUFFERS,
    connectionTimeoutMs: 10_000,
    signal: new AbortController().signal,
    ...options,
  });
}

describe('the delivery of a legacy message', () => {
  it('fails at the deadline if the server does not read it', async () => {
    const sending = delivery(await startStalled(), { connectionTimeoutMs: 100 });
    await expect(sending).rejects.toMatchObject({ code: 'ERR_LEGACY_TIMEOUT', sent: true });
  });

  it('fails if the server resets the connection', async () => {
    const port = await startStalled((socket) => {
      socket.once('data', () => socket.resetAndDestroy());
      socket.resume();
    });
    await expect(delivery(port)).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST', sent: true });
  });

  it('ends when its subscriber leaves, in progress and before it has begun', async () => {
    const abort = new AbortController();
    const port = await startStalled(() => abort.abort());
    await expect(delivery(port, { signal: abort.signal })).rejects.toMatchObject({ code: 'ERR_CLIENT_CLOSED' });
    await expect(delivery(port, { signal: abort.signal })).rejects.toMatchObject({
      code: 'ERR_CLIENT_CLOSED',
      sent: false,
    });
  });
});
