import { once } from 'node:events';
import { createServer, Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

import { afterEach, describe, expect, it } from 'vitest';

import { connectSocket, disownSocket, ownSocket, shareReadBuffer } from './socket-reader.js';

const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** Both ends of a connection. */
async function connectPair(isShared: boolean): Promise<{ readonly dialed: Socket; readonly accepted: Socket }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const arrival = once(server, 'connection') as Promise<[Socket]>;
  const dialed = connectSocket({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }, isShared);
  const [accepted] = await arrival;
  server.close();
  if (isShared) shareReadBuffer(accepted);
  sockets.push(dialed, accepted);
  return { dialed, accepted };
}

/** Keeps copies of what comes, and the memory that it came in. */
function collectFrom(socket: Socket) {
  const memory = new Set<ArrayBufferLike>();
  const chunks: Buffer[] = [];
  const receive = (chunk: Buffer): void => {
    memory.add(chunk.buffer);
    chunks.push(Buffer.from(chunk));
  };
  const ignore = (): void => undefined;
  ownSocket(socket, { receive, receiveFin: ignore, onSocketLost: ignore });
  return { memory, text: () => Buffer.concat(chunks).toString() };
}

describe.each([
  ['that shares the read buffer', true],
  ['with a buffer for each read', false],
])('a socket %s', (_what, isShared) => {
  it.each(['dialed', 'accepted'] as const)('delivers all bytes in order, then the end, when %s', async (end) => {
    const pair = await connectPair(isShared);
    const reader = pair[end];
    const writer = pair[end === 'dialed' ? 'accepted' : 'dialed'];
    const { text } = collectFrom(reader);
    const sent = Array.from({ length: 200 }, (_, index) => `${index},`.repeat(500)).join('');
    writer.end(sent);
    await once(reader, 'end');
    expect(text()).toBe(sent);
  });

  it('stops and continues when it is paused and resumed', async () => {
    const { dialed, accepted } = await connectPair(isShared);
    const { text } = collectFrom(dialed);
    accepted.write('first, ');
    await expect.poll(text).toBe('first, ');
    dialed.pause();
    accepted.write('then');
    const other = collectFrom(accepted);
    dialed.write('marker'); // crosses the other way while nothing is read here
    await expect.poll(other.text).toBe('marker');
    expect(text()).toBe('first, ');
    dialed.resume();
    await expect.poll(text).toBe('first, then');
  });

  it('delivers to the owner that was set last, and to none after it was removed', async () => {
    const { dialed, accepted } = await connectPair(isShared);
    const first = collectFrom(dialed);
    accepted.write('one');
    await expect.poll(first.text).toBe('one');
    disownSocket(dialed);
    const second = collectFrom(dialed);
    accepted.write('two');
    await expect.poll(second.text).toBe('two');
    expect(first.text()).toBe('one');
    disownSocket(dialed);
    accepted.end('three');
    dialed.resume();
    await once(dialed, 'end');
    expect(second.text()).toBe('two');
  });
});

describe('the owner of a socket', () => {
  it.each([true, false])(
    'receives the end, an error and the close, until it gives the socket up (shared: %s)',
    async (isShared) => {
      const { dialed, accepted } = await connectPair(isShared);
      const calls: string[] = [];
      ownSocket(dialed, {
        receive: (chunk) => void calls.push(chunk.toString()),
        receiveFin: () => void calls.push('fin'),
        onSocketLost: (cause) => void calls.push(cause?.message ?? 'closed'),
      });
      const counts = (): number[] => ['data', 'end', 'error', 'close'].map((name) => dialed.listenerCount(name));
      accepted.end('data');
      await once(dialed, 'end');
      const closed = once(dialed, 'close').catch(() => undefined);
      dialed.destroy(new Error('broken'));
      await closed;
      await expect.poll(() => calls).toEqual(['data', 'fin', 'broken', 'closed']);
      disownSocket(dialed);
      dialed.on('error', () => undefined).emit('error', new Error('late'));
      expect(calls).toHaveLength(4);
      expect(counts()[0]).toBe(0);
    },
  );
});

describe('the read buffer', () => {
  it('is shared by all sockets of the process, dialed and accepted', async () => {
    const [a, b] = [await connectPair(true), await connectPair(true)];
    const readers = [a.dialed, a.accepted, b.dialed, b.accepted].map(collectFrom);
    for (const { dialed, accepted } of [a, b]) {
      dialed.write('up');
      accepted.write('down');
    }
    for (const { text } of readers) await expect.poll(text).toMatch(/^(up|down)$/);
    const memory = readers.flatMap((reader) => Array.from(reader.memory));
    expect(new Set(memory).size).toBe(1);
  });

  it('is not used by a socket whose Node does not support it, which emits data instead', () => {
    const socket = new Socket(); // has no handle, so nothing that could be told of a buffer
    sockets.push(socket);
    shareReadBuffer(socket);
    const { text } = collectFrom(socket);
    socket.emit('data', Buffer.from('by event'));
    expect(text()).toBe('by event');
  });
});
