// SIGKILL of one process after the other under load: 10 times, or SEALWIRE_KILLS times.
import { writeFile } from 'node:fs/promises';

import { SealwireClient } from '@sealwire/transport';
import { afterEach, describe, expect, it } from 'vitest';

import { FixtureApps } from '../support/fixture-app.js';
import type { FixtureApp } from '../support/fixture-app.js';
import { freePorts } from '../support/free-ports.js';
import { Load } from '../support/load.js';
import { endAll, endLater, key, keyring, portOf } from '../support/pair.js';
import { startWork } from '../support/work-application.js';

const KILLS = Number(process.env['SEALWIRE_KILLS'] ?? 10);
const DEADLINE_MS = 60_000;
/** So that the next kill follows as soon as the server listens again. */
const REDIAL = { minMs: 10, maxMs: 200 };
const TEST_MS = 120_000 + KILLS * 15_000;

afterEach(endAll);

function twiceIn(values: readonly unknown[]): readonly unknown[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}

describe('SIGKILL of a server', () => {
  it(
    'fails only requests and events that were sent, and runs no handler twice',
    async () => {
      const apps = await FixtureApps.create();
      endLater(apps);
      const ports = Object.values(await freePorts('a', 'b', 'c'));
      const start = async (port: string): Promise<FixtureApp> => {
        const app = apps.start('serving-app.mjs', port, apps.keyFile);
        await app.said('serving');
        return app;
      };
      const places = await Promise.all(ports.map(async (port) => ({ port, app: await start(port) })));
      const servers = ports.map((port) => ({ host: '127.0.0.1', port: Number(port) }));
      const client = new SealwireClient({ servers, keyFile: apps.keyFile, redial: REDIAL });
      endLater(client);
      const connected = () => client.snapshot().servers.filter(({ state }) => state === 'connected').length;
      const load = new Load(client);
      for (let kill = 0; kill < KILLS; kill++) {
        await expect.poll(connected, { timeout: DEADLINE_MS, interval: 5 }).toBe(3); // the last one serves again
        const place = places[kill % places.length];
        await place?.app.stop('SIGKILL');
        if (place !== undefined) place.app = await start(place.port);
      }
      await load.stop();
      await client.close();
      await apps.stop('SIGTERM');
      const events = apps.linesWith('event ').map(Number);
      expect(load.failures.filter(({ sent }) => sent !== true)).toEqual([]);
      expect(twiceIn(apps.linesWith('request '))).toEqual([]);
      expect(twiceIn(events)).toEqual([]);
      expect(events).toEqual(expect.arrayContaining(load.acknowledged));
      expect(load.answers).toBeGreaterThan(KILLS);
    },
    TEST_MS,
  );
});

describe('SIGKILL of a client', () => {
  it(
    'fails no call of another client, leaves nothing at the servers, and none of its events is lost or handled twice',
    async () => {
      const apps = await FixtureApps.create();
      endLater(apps);
      await writeFile(apps.keyFile, key);
      const handled: unknown[] = [];
      const works = await Promise.all([startWork(0, handled), startWork(0, handled), startWork(0, handled)]);
      for (const { app } of works) endLater(app);
      const ports = works.map(({ server }) => portOf(server));
      const client = new SealwireClient({ servers: ports.map((port) => ({ host: '127.0.0.1', port })), keyring });
      endLater(client);
      const load = new Load(client);
      for (let kill = 0; kill < KILLS; kill++) {
        const app = apps.start('calling-app.mjs', `c${kill}`, apps.keyFile, ...ports.map(String));
        await app.said('calling');
        await app.stop('SIGKILL');
      }
      await load.stop();
      const left = () =>
        works
          .map(({ server }) => server.snapshot())
          .map(({ connections, inFlight, running }) => ({ connections, inFlight, running }));
      const clean = { connections: 1, inFlight: 0, running: 0 };
      await expect.poll(left, { timeout: DEADLINE_MS }).toEqual([clean, clean, clean]);
      expect(load.failures).toEqual([]);
      expect(apps.linesWith('failed ')).toEqual([]);
      expect(twiceIn(handled)).toEqual([]);
      expect(handled).toEqual(expect.arrayContaining([...load.acknowledged, ...apps.linesWith('acknowledged ')]));
    },
    TEST_MS,
  );
});
