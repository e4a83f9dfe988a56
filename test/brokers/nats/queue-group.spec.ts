// Three servers of a queue group on a real NATS server, ended by SIGKILL one after the other while they work. Somebody with
// access to the broker, but without the key, sends every request again.
import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { SealedNatsClient } from '@sealwire/brokers';
import { lastValueFrom, retry, timeout } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { FixtureApps } from '../../support/fixture-app.js';
import type { FixtureApp } from '../../support/fixture-app.js';
import { Engine, isMissing, skipNote } from '../engines/engine.js';
import { NATS } from '../engines/nats.js';

const REQUESTS = 10_000;
const AT_ONCE = 32;
/** A request whose server was killed has no other end. */
const ANSWER_MS = 10_000;
const TEST_MS = 600_000;

describe.skipIf(isMissing(NATS))(`A queue group on sealed NATS${skipNote(NATS)}`, () => {
  let engine: Engine;
  let apps: FixtureApps;
  let client: SealedNatsClient;
  let stranger: NatsConnection;

  beforeAll(async () => {
    engine = await Engine.start(NATS);
    apps = await FixtureApps.create();
    stranger = await connect({ servers: engine.url });
    client = new SealedNatsClient({ servers: engine.url, seal: { keyFile: apps.keyFile, service: 'work' } });
  });

  afterAll(async () => {
    await stranger.close();
    await client.close();
    await apps.stop('SIGKILL');
    await engine.stop();
  });

  async function start(): Promise<FixtureApp> {
    const app = apps.start('queue-server.mjs', engine.url, apps.keyFile);
    await app.said('serving');
    return app;
  }

  /** Sends each request again as soon as it comes by. Returns how many that were. */
  function replayAll(): () => number {
    const seen = new Set<string>();
    stranger.subscribe('work', {
      callback: (_error, { data, reply = '' }) => {
        const envelope = Buffer.from(data).toString('latin1');
        if (seen.has(envelope)) return;
        seen.add(envelope);
        stranger.publish('work', data, { reply });
      },
    });
    return () => seen.size;
  }

  it(
    `answers ${REQUESTS} requests while its servers are killed and restarted; none is answered wrongly or handled twice`,
    async () => {
      const servers = [await start(), await start(), await start()];
      await lastValueFrom(client.send('work', -1).pipe(retry({ count: 100, delay: 100 })));
      const replayed = replayAll();
      const failures: string[] = [];
      const wrong: unknown[] = [];
      let next = 0;
      const send = async (): Promise<void> => {
        for (let id = next++; id < REQUESTS; id = next++) {
          const answer = client.send<number>('work', id).pipe(timeout(ANSWER_MS));
          await lastValueFrom(answer).then(
            (value) => value !== id && wrong.push([id, value]),
            (error: unknown) => failures.push(String(error)),
          );
        }
      };
      const sending = Promise.all(Array.from({ length: AT_ONCE }, send));
      const isSending = (): boolean => next < REQUESTS;
      let kills = 0;
      while (isSending()) {
        await servers[kills % servers.length]?.stop('SIGKILL');
        servers[kills % servers.length] = await start(); // the next kill follows as soon as it serves
        kills += 1;
      }
      await sending;
      await Promise.all(servers.map((server) => server.stop('SIGKILL')));
      const handled = apps.linesWith('request ').filter((id) => id !== '-1');
      console.log(`${kills} kills, ${replayed()} requests replayed, ${failures.length} requests without an answer`);
      expect(kills).toBeGreaterThan(2);
      expect(replayed()).toBeGreaterThanOrEqual(REQUESTS);
      expect(wrong).toEqual([]);
      expect(new Set(handled).size).toBe(handled.length);
      expect([...new Set(failures)]).toEqual(failures.length === 0 ? [] : ['TimeoutError: Timeout has occurred']);
      expect(failures.length).toBeLessThan(kills * AT_ONCE);
    },
    TEST_MS,
  );
});
