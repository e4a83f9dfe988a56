import { once } from 'node:events';
import { connect } from 'node:net';

import { afterEach, describe, expect, it } from 'vitest';

import { Engine, isMissing, skipNote } from './engine.js';
import { KCAT, startKafkaMock } from './kafka.js';
import { MOSQUITTO } from './mosquitto.js';
import { NATS } from './nats.js';
import { RABBITMQ } from './rabbitmq.js';
import { REDIS } from './redis.js';

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

async function isReachable(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

describe.each([NATS, REDIS, MOSQUITTO, RABBITMQ])('An engine of $aptPackage', (kind) => {
  it.skipIf(isMissing(kind))(
    `starts, is killed, starts again on the same port and stops${skipNote(kind)}`,
    async () => {
      const engine = await Engine.start(kind);
      ends.push(() => engine.stop());
      expect(await isReachable(engine.port)).toBe(true);
      await engine.kill();
      expect(await isReachable(engine.port)).toBe(false);
      await engine.restart();
      expect(await isReachable(engine.port)).toBe(true);
      await engine.stop();
      expect(await isReachable(engine.port)).toBe(false);
    },
  );
});

describe.skipIf(isMissing(KCAT))(`The mock broker of kcat${skipNote(KCAT)}`, () => {
  it('starts and stops', async () => {
    const mock = await startKafkaMock();
    ends.push(() => mock.stop());
    const port = Number(mock.address.split(':')[1]);
    expect(await isReachable(port)).toBe(true);
    await mock.stop();
    expect(await isReachable(port)).toBe(false);
  });
});
