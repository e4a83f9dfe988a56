import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { wire } from '../../../../test/fuzz/wire.js';
import { FakeClock } from '../../../../test/support/fake-clock.js';
import { ALERT, KeyPair, respond, startInitiator } from '../handshake/index.js';
import { connectSocket } from '../socket/socket-reader.js';
import { serverAt } from '../pool/addresses/server-address.js';
import { dial } from './dial.js';
import type { Dialed, DialOptions } from './dial.js';

vi.mock('../handshake/index.js', async (importOriginal) => {
  const handshake = await importOriginal<typeof import('../handshake/index.js')>();
  return { ...handshake, startInitiator: vi.fn<typeof handshake.startInitiator>(handshake.startInitiator) };
});

vi.mock('../socket/socket-reader.js', async (importOriginal) => {
  const reader = await importOriginal<typeof import('../socket/socket-reader.js')>();
  return { ...reader, connectSocket: vi.fn<typeof reader.connectSocket>(reader.connectSocket) };
});

const ANNOUNCEMENT = {
  unixMs: 0,
  maxMessageBytes: 65_536,
  maxInFlight: 0,
  maxIncompleteBytes: 65_536,
};

function optionsOf(port: number): DialOptions {
  return {
    server: serverAt({ host: '127.0.0.1', port }),
    key: { keyId: Buffer.alloc(8), psk: Buffer.alloc(32, 1) },
    handshake: { service: 'default', announcement: ANNOUNCEMENT, instance: KeyPair.generate() },
    connectTimeoutMs: 5_000,
    leftMs: 5_000,
    shareReadBuffer: true,
    signal: new AbortController().signal,
  };
}

describe('a dial', () => {
  it('rejects, without any other exception, if the system cannot create a key pair', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const cause = new Error('no randomness');
    vi.mocked(startInitiator).mockImplementationOnce(() => {
      throw cause;
    });
    const options = optionsOf((server.address() as AddressInfo).port);
    const refused = expect.objectContaining({ code: 'ERR_INTERNAL', sent: false, cause }) as Error;
    await expect(dial(options, () => expect.unreachable('it opened'))).rejects.toEqual(refused);
  });

  it.each([true, false])('is repeated once if it was refused after its process stalled: %s', async (stalls) => {
    const time = FakeClock.install();
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined);
      if (stalls) time.stall(60_000);
      socket.end(ALERT);
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const options = optionsOf((server.address() as AddressInfo).port);
    const opened = (): never => expect.unreachable('it opened');
    await expect(dial(options, opened)).rejects.toMatchObject({ code: 'ERR_ALERT', sent: false });
    expect(connections).toBe(stalls ? 2 : 1);
  });
});

describe('message 2', () => {
  const SERVER = {
    service: 'default',
    instanceId: Buffer.alloc(16),
    announcement: { ...ANNOUNCEMENT, maxInFlight: 9 },
  };

  /** A dial over a wire without a network, to a server that answers in pieces; what it yields, or its code. */
  async function dialOver(cut: (message2: Buffer) => readonly Buffer[]): Promise<Dialed | string> {
    const [near] = wire();
    vi.mocked(connectSocket).mockReturnValueOnce(near.socket);
    const options = optionsOf(1);
    const dialing = dial<Dialed | string>(options, (dialed) => dialed).catch(({ code }: { code: string }) => code);
    near.emit('connect');
    const { message2 } = respond(() => Buffer.from(options.key.psk), SERVER, near.take());
    for (const piece of cut(message2)) near.receive(piece);
    return dialing;
  }

  it('is parsed wherever it is split', async () => {
    for (let at = 1; at < 104; at++) {
      const dialed = await dialOver((message2) => [message2.subarray(0, at), message2.subarray(at)]);
      expect(dialed, `cut at ${at}`).toMatchObject({ session: { peer: SERVER.announcement } });
    }
  });

  it('is refused with an extra byte in the same read, wherever it was split before [R4.16]', async () => {
    for (const at of [1, 5, 8, 50, 103]) {
      const pieces = (message2: Buffer): Buffer[] => [
        message2.subarray(0, at),
        Buffer.concat([message2.subarray(at), Buffer.alloc(1)]),
      ];
      expect(await dialOver(pieces), `cut at ${at}`).toBe('ERR_EARLY_BYTES');
    }
  });
});
