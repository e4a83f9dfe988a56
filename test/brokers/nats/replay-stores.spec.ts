// The replay stores on real engines: two server processes in a queue group share one, and a client of the broker that has
// captured 40 requests sends each of them again and again.
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import { SealedNatsClient } from '@sealwire/brokers';
import { NatsReplayStore, RedisReplayStore } from '@sealwire/envelope';
import type { ReplayStore } from '@sealwire/envelope';
import { Redis } from 'ioredis';
import { lastValueFrom, retry } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { FixtureApps } from '../../support/fixture-app.js';
import { Engine, isMissing, skipNote } from '../engines/engine.js';
import { NATS } from '../engines/nats.js';
import { REDIS } from '../engines/redis.js';
import { OPEN_NATS } from '../strangers/nats.js';
import type { SeenMessage } from '../strangers/stranger.js';

const REQUESTS = 40;
const COPIES = 3;
const TTL_MS = 2000;
const TOGETHER = 50;

interface Opened {
  /** A store at the same engine, over a connection of its own. */
  readonly store: ReplayStore;
  close(): Promise<unknown>;
}

const STORES = [
  { name: 'Redis', kind: REDIS, settingOf: ({ url }: Engine) => url, open: openRedis },
  { name: 'NATS KV', kind: NATS, settingOf: () => 'nats', open: openKv },
] as const;

async function openRedis({ url }: Engine): Promise<Opened> {
  const redis = new Redis(url);
  return Promise.resolve({ store: new RedisReplayStore(redis), close: () => redis.quit() });
}

async function openKv({ url }: Engine): Promise<Opened> {
  const connection = await connect({ servers: url });
  const bucket = await new Kvm(connection).create('claims', { ttl: TTL_MS });
  return { store: new NatsReplayStore(bucket), close: () => connection.close() };
}

describe.each(STORES)('The replay store in $name', ({ kind, settingOf, open }) => {
  describe.skipIf(isMissing(NATS) || isMissing(kind))(`on real engines${skipNote(NATS)}${skipNote(kind)}`, () => {
    const ends: (() => Promise<unknown>)[] = [];
    let engine: Engine;

    beforeAll(async () => {
      engine = await Engine.start(kind);
    });

    afterEach(async () => {
      for (const end of ends.splice(0).toReversed()) await end();
    });

    afterAll(() => engine.stop());

    async function openStore(): Promise<ReplayStore> {
      const opened = await open(engine);
      ends.push(() => opened.close());
      return opened.store;
    }

    it(`gives an id to one of ${TOGETHER} claims from two connections, and again after its time`, async () => {
      const stores = [await openStore(), await openStore()];
      const claimAll = (): Promise<boolean[]> =>
        Promise.all(Array.from({ length: TOGETHER }, (_, index) => claim(stores[index % 2])));
      const claim = (store: ReplayStore | undefined): Promise<boolean> =>
        store?.claim('0b56bfc1696f34ec.sLGys7S1tre4ubq7vL2-vw.0', TTL_MS) ?? expect.fail();
      expect((await claimAll()).filter(Boolean)).toHaveLength(1);
      expect((await claimAll()).filter(Boolean)).toHaveLength(0);
      await expect.poll(() => claim(stores[0]), { timeout: 60_000, interval: 500 }).toBe(true);
    });

    it(`has none of ${REQUESTS} captured requests handled twice by two processes`, async () => {
      expect(await handledTwice(settingOf(engine))).toEqual([]);
    });

    it('is needed: without one, requests are handled twice', async () => {
      expect(await handledTwice('none')).not.toEqual([]);
    });

    /** Returns the ids of the requests that two servers have handled more than once after they were sent again. */
    async function handledTwice(storeSetting: string): Promise<readonly string[]> {
      const nats = await Engine.start(NATS);
      ends.push(() => nats.stop());
      const apps = await FixtureApps.create();
      ends.push(() => apps.close());
      const servers = [1, 2].map(() => apps.start('queue-server.mjs', nats.url, apps.keyFile, storeSetting));
      await Promise.all(servers.map((server) => server.said('serving')));
      const client = new SealedNatsClient({ servers: nats.url, seal: { keyFile: apps.keyFile, service: 'work' } });
      ends.push(() => client.close());
      await lastValueFrom(client.send('work', 'first').pipe(retry({ count: 100, delay: 100 })));
      const captured: SeenMessage[] = [];
      const stranger = await OPEN_NATS.connect(nats.url);
      ends.push(() => stranger.close());
      await stranger.watch((message) => void (message.name === 'work' && captured.push(message)));
      const ids = Array.from({ length: REQUESTS }, (_, id) => id);
      await Promise.all(ids.map((id) => lastValueFrom(client.send('work', id))));
      await expect.poll(() => captured.length).toBe(REQUESTS);
      for (let copy = 0; copy < COPIES; copy++)
        for (const message of captured.slice(0, REQUESTS)) await stranger.publish(message);
      // Both servers answer what came after the copies.
      await Promise.all(ids.map((id) => lastValueFrom(client.send('work', `after ${id}`))));
      const handled = apps.linesWith('request ');
      return ids.map(String).filter((id) => handled.filter((each) => each === id).length !== 1);
    }
  });
});
