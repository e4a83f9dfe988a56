// What users of Nest asked for and no other file here shows; the numbers are those of its tracker (docs/migrating.md).
import { setImmediate as nextTurn } from 'node:timers/promises';

import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { Deserializer, Serializer } from '@nestjs/microservices';
import type { SealwireServer, SealwireServerOptions } from '@sealwire/transport';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { outcome, startApplication } from '../../support/application.js';
import { endAll, newClient, portOf } from '../../support/pair.js';
import { RoguePeer } from '../../support/rogue-peer.js';
import { asked, data, fragments, frame, PING, request } from '../../support/rogue-words.js';

const peers: RoguePeer[] = [];
let served: unknown[] = [];

beforeEach(() => {
  served = [];
});

afterEach(async () => {
  for (const { socket } of peers.splice(0)) socket.destroy();
  await endAll();
});

@Controller()
class AskedController {
  @MessagePattern('echo')
  echo(@Payload() value: unknown): unknown {
    served.push(value);
    return value;
  }

  @MessagePattern('fill')
  fill(@Payload() bytes: number): Buffer {
    return Buffer.alloc(bytes);
  }
}

const start = (server: Partial<SealwireServerOptions> = {}) =>
  startApplication({ controllers: [AskedController], server });

async function dial(server: SealwireServer): Promise<RoguePeer> {
  const peer = await RoguePeer.dial(portOf(server));
  peers.push(peer);
  peer.write(peer.message1());
  await peer.hears('message 2');
  peer.say(peer.confirm());
  return peer;
}

describe('an application-defined encoding (#1557, #4407, #16671)', () => {
  it('encodes values as bytes at one end, and decodes these bytes instead of parsed JSON at the other', async () => {
    const got: unknown[] = [];
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value), 'utf16le');
    const decode = (bytes: Buffer): unknown => (got.push(bytes), JSON.parse(bytes.toString('utf16le')));
    const ofServer = {
      serializer: { serialize: (packet) => ({ ...packet, response: encode(packet.response) }) } satisfies Serializer,
      deserializer: {
        deserialize: (packet) => ({ ...packet, data: decode(packet.data) }),
      } satisfies Deserializer,
    };
    const ofClient = {
      serializer: { serialize: (packet) => ({ ...packet, data: encode(packet.data) }) } satisfies Serializer,
      deserializer: {
        deserialize: (packet) => ({ ...packet, response: decode(packet.response) }),
      } satisfies Deserializer,
    };
    const { server } = await start(ofServer);
    const client = newClient(portOf(server), ofClient);
    expect(await outcome(client.send('echo', { a: ['ä'] }))).toEqual({ a: ['ä'] });
    expect(served).toEqual([{ a: ['ä'] }]);
    expect(got).toEqual([encode({ a: ['ä'] }), encode({ a: ['ä'] })]);
  });
});

it('a message that is too large fails with its size and the limit (#15472)', async () => {
  const { client } = await start({ limits: { maxMessageBytes: 65_536 } });
  const error = await outcome(client.send('echo', Buffer.alloc(70_000)));
  expect(error).toMatchObject({ code: 'ERR_MESSAGE_TOO_LARGE', sent: false });
  expect((error as Error).message).toMatch(/\b700\d\d bytes\b.*\b65536\b/);
});

it('a thousand concurrent calls each get their own answer, and leave no listener (#491, #505)', async () => {
  const { client } = await start();
  await client.connect();
  const listeners = (): number[] =>
    client
      .unwrap()
      .eventNames()
      .map((name) => client.unwrap().listenerCount(name));
  const before = listeners();
  const calls = Array.from({ length: 1_000 }, (_, i) => outcome(client.send('echo', i)));
  expect(listeners()).toEqual(before);
  expect(await Promise.all(calls)).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
  expect(listeners()).toEqual(before);
});

it('a server without a host listens on 127.0.0.1, and unwrap() returns the address (#1967, #2532)', async () => {
  const { app } = await start();
  expect(app.unwrap<{ address(): unknown }>().address()).toMatchObject({ address: '127.0.0.1', family: 'IPv4' });
});

describe('a peer', () => {
  it('that sends tiny frames by the thousand is served, and so are others (GHSA-hpwf-8g29-85qm)', async () => {
    const { server, client } = await start();
    const peer = await dial(server);
    const tiny = data(...Array.from({ length: 6_000 }, () => frame('CANCEL', 1)));
    peer.say(request(1, asked('echo', 1)), ...Array.from({ length: 10 }, () => tiny));
    const text = 'x'.repeat(66_000);
    peer.say(...fragments('REQUEST', 2, asked('echo', text), 13));
    await peer.hears('NEXT 2');
    expect(await outcome(client.send('echo', 2))).toBe(2);
    expect(served.at(-2)).toBe(text);
  });

  it('that does not read its answers is disconnected in time, while others are served (#17746, #17749)', async () => {
    const { server, client } = await start({ timeouts: { writeMs: 2_000 } });
    await client.connect();
    for (const peer of await Promise.all([dial(server), dial(server), dial(server)])) {
      peer.socket.pause();
      // More than the system's buffers hold, in answers that do not wait for CREDIT.
      peer.say(data(...Array.from({ length: 1_000 }, (_, i) => frame('REQUEST', i + 1, asked('fill', 16_000)))));
    }
    await expect.poll(() => server.snapshot().inFlight).toBeGreaterThan(0);
    expect(await outcome(client.send('echo', 1))).toBe(1);
    await expect.poll(() => server.snapshot().connectionsFailed, { timeout: 30_000 }).toBe(3);
    expect(server.snapshot()).toMatchObject({ connections: 1, inFlight: 0 });
    expect(await outcome(client.send('echo', 2))).toBe(2);
  });

  it('that stays when the server closes is no longer served, and is disconnected (#17745)', async () => {
    const { app, server } = await start({ timeouts: { closeMs: 100 } });
    const peer = await dial(server);
    peer.say(request(1, asked('echo', 'before')), PING);
    await peer.hears('PONG');
    const closed = app.close();
    await peer.hears('CLOSE');
    peer.say(request(2, asked('echo', 'after')));
    await closed;
    await nextTurn();
    expect(served).toEqual(['before']);
    expect(server.snapshot().connections).toBe(0);
    await peer.left;
  });
});
