import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import { afterEach, describe, expect, it } from 'vitest';

import { Acceptance } from './acceptance.js';
import { SOCKET_OPTIONS } from './endpoint.js';

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** A stranger's socket and the server's; `failed` resolves with the code. */
async function accept(): Promise<{ stranger: Socket; accepted: Socket; failed: Promise<string> }> {
  const server = createServer(SOCKET_OPTIONS).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const connection = once(server, 'connection') as Promise<[Socket]>;
  const stranger = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', ...SOCKET_OPTIONS });
  const [accepted] = await connection;
  sockets.push(stranger, accepted);
  const failed = new Promise<string>((resolve) => {
    const respond = (): never => expect.unreachable('nobody sends a whole message 1 here');
    const fail = ({ code }: { code: string }): void => resolve(code);
    void new Acceptance({ socket: accepted, handshakeTimeoutMs: 5_000, respond, accepted: respond, failed: fail });
  });
  return { stranger, accepted, failed };
}

describe('an acceptance', () => {
  it('leaves the listeners of others on the socket', async () => {
    const { stranger, accepted, failed } = await accept();
    const closed = once(accepted, 'close');
    stranger.resume().write('GET');
    expect(await failed).toBe('ERR_HANDSHAKE_MALFORMED');
    await closed;
    expect(accepted.listenerCount('data')).toBe(0);
  });

  it('calls another protocol what it is, also where its first bytes are more than message 1 has [R4.2]', async () => {
    const { stranger, failed } = await accept();
    stranger.resume().write('x'.repeat(5_000));
    expect(await failed).toBe('ERR_HANDSHAKE_MALFORMED');
  });

  it('survives what the socket still reports after it has failed', async () => {
    const { stranger, accepted, failed } = await accept();
    stranger.resume().write('GET');
    await failed;
    expect(() => accepted.emit('error', new Error('late'))).not.toThrow();
  });
});
