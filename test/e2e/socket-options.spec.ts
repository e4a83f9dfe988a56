// The socket options that a connection sets in the operating system, at both ends.
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

import type { SealwireServer } from '@sealwire/transport';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';

import { endAll, newClient, portOf, startServer } from '../support/pair.js';

/** What Node asks of the operating system for a socket. */
interface TcpHandle {
  setKeepAlive(on: boolean, initialDelaySeconds: number): number;
  setNoDelay(on: boolean): number;
}

afterEach(() => endAll());

const handleOf = (socket: Socket): TcpHandle => Reflect.get(socket, '_handle') as TcpHandle;

async function accepted(server: SealwireServer): Promise<Socket> {
  const [socket] = (await once(server.unwrap(), 'connection')) as [Socket];
  return socket;
}

/** What all handles have in common, taken from a connection of no other use. */
async function handlePrototype(server: SealwireServer): Promise<TcpHandle> {
  const socket = connect(portOf(server), '127.0.0.1');
  await once(socket, 'connect');
  const prototype = Object.getPrototypeOf(handleOf(socket)) as TcpHandle;
  socket.destroy();
  await once(socket, 'close');
  return prototype;
}

it.each(['setKeepAlive', 'setNoDelay'] as const)('a connection calls %s at both its ends', async (option) => {
  const server = await startServer();
  const [, prototype] = await Promise.all([accepted(server), handlePrototype(server)]);
  const asked = vi.spyOn(prototype, option);
  onTestFinished(() => asked.mockRestore());
  const client = newClient(portOf(server));
  const [socket] = await Promise.all([accepted(server), client.connect()]);
  const told = asked.mock.calls.map(([on], call) => ({ on, handle: asked.mock.contexts[call] }));
  for (const end of [socket, client.unwrap()]) {
    expect(told.some(({ on, handle }) => on && handle === handleOf(end))).toBe(true);
  }
});
