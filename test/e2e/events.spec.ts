import { once } from 'node:events';
import type { Socket } from 'node:net';

import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { SealwireServer } from '@sealwire/transport';
import { afterEach, describe, expect, it } from 'vitest';

import { KeyPair } from '../../libs/transport/src/handshake/index.js';
import { startApplication } from '../support/application.js';
import { endAll, portOf } from '../support/pair.js';
import { RoguePeer } from '../support/rogue-peer.js';
import { event, noted, PING } from '../support/rogue-words.js';

const peers: RoguePeer[] = [];

afterEach(async () => {
  for (const { socket } of peers.splice(0)) socket.destroy();
  await endAll();
});

/** The instance key of a client that comes again. */
const INSTANCE = KeyPair.generate();

/** A client with an open connection, and the end of that connection at the server. */
async function dial(server: SealwireServer): Promise<{ peer: RoguePeer; closed: Promise<void> }> {
  const accepted = once(server.unwrap(), 'connection') as Promise<[Socket]>;
  const peer = await RoguePeer.dial(portOf(server), INSTANCE);
  peers.push(peer);
  const [socket] = await accepted;
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  peer.write(peer.message1());
  await peer.hears('message 2');
  peer.say(peer.confirm());
  return { peer, closed };
}

describe('an event that waits for a handler to end', () => {
  it('is not handed over once its connection is gone, and is when it comes again [R5.24, R6.22]', async () => {
    const values: unknown[] = [];
    const releases: (() => void)[] = [];

    @Controller()
    class HoldingController {
      @EventPattern('noted')
      hold(@Payload() value: unknown): Promise<void> {
        values.push(value);
        return new Promise((resolve) => releases.push(resolve));
      }
    }

    const { server } = await startApplication({
      controllers: [HoldingController],
      server: { maxInFlight: 4, maxRunning: 1 },
    });
    const first = await dial(server);
    first.peer.say(event(1, noted(0, 'a')), event(2, noted(1, 'b')), PING);
    await first.peer.hears('PONG');
    expect(first.peer.words).not.toContain('ACK 2');
    first.peer.socket.resetAndDestroy();
    await first.closed;
    for (const release of releases.splice(0)) release();
    const second = await dial(server);
    expect(values).toEqual(['a']);
    second.peer.say(event(1, noted(0, 'a')), event(2, noted(1, 'b')));
    await second.peer.hears('ACK 2');
    expect(values).toEqual(['a', 'b']);
  });
});
