// Servers that start again one after the other while a client calls: no request fails, and no event is lost or handled
// twice.
import { SealwireClient } from '@sealwire/transport';
import type { SealwireClientOptions } from '@sealwire/transport';
import { afterEach, describe, expect, it } from 'vitest';

import { FixtureApps } from '../support/fixture-app.js';
import { freePorts } from '../support/free-ports.js';
import { Load } from '../support/load.js';
import { endAll, endLater, keyring } from '../support/pair.js';
import { startWork } from '../support/work-application.js';

/** The requests that are answered between two restarts. */
const ANSWERS = 200;
const DEADLINE_MS = 60_000;
/** So that the client has a process back soon after it listens again. */
const REDIAL = { minMs: 10, maxMs: 200 };

afterEach(endAll);

/** A server that can be started again on its port. */
interface Place {
  readonly port: number;
  readonly restart: () => Promise<void>;
}

/** Restarts each place in turn, after the client has the one before back and has had answers. */
async function roll(client: SealwireClient, load: Load, places: readonly Place[], rounds: number): Promise<void> {
  for (const { port, restart } of Array.from({ length: rounds }, () => places).flat()) {
    const { answers } = load;
    await expect.poll(() => load.answers, { timeout: DEADLINE_MS }).toBeGreaterThan(answers + ANSWERS);
    await restart();
    const state = () => client.snapshot().servers.find(({ server }) => server === `127.0.0.1:${port}`)?.state;
    await expect.poll(state, { timeout: DEADLINE_MS }).toBe('connected');
  }
  await load.stop();
}

function newClient(options: SealwireClientOptions): SealwireClient {
  const client = new SealwireClient(options);
  endLater(client);
  return client;
}

async function threePorts(): Promise<readonly number[]> {
  return Object.values(await freePorts('a', 'b', 'c')).map(Number);
}

const serversAt = (ports: readonly number[]) => ports.map((port) => ({ host: '127.0.0.1', port }));

function sorted(numbers: readonly unknown[]): readonly number[] {
  return numbers.map(Number).toSorted((one, other) => one - other);
}

describe('a rolling restart', () => {
  async function startPlace(port: number, handled: unknown[]): Promise<Place> {
    let { app } = await startWork(port, handled);
    endLater({ close: () => app.close() });
    const restart = async (): Promise<void> => {
      await app.close();
      ({ app } = await startWork(port, handled));
    };
    return { port, restart };
  }

  it('of three servers fails no request, and each event is handled once', async () => {
    const handled: unknown[] = [];
    const ports = await threePorts();
    const places = await Promise.all(ports.map((port) => startPlace(port, handled)));
    const client = newClient({ servers: serversAt(ports), keyring });
    const load = new Load(client);
    await roll(client, load, places, 3);
    expect(load.failures).toEqual([]);
    expect(sorted(handled)).toEqual(sorted(load.acknowledged));
  });

  it('of one server fails no request of a client whose calls wait, and each event is handled once', async () => {
    const handled: unknown[] = [];
    const { port } = await freePorts('port');
    const place = await startPlace(Number(port), handled);
    const client = newClient({ port: place.port, keyring, timeouts: { waitForConnectionMs: DEADLINE_MS } });
    const load = new Load(client);
    await roll(client, load, [place], 4);
    expect(load.failures).toEqual([]);
    expect(sorted(handled)).toEqual(sorted(load.acknowledged));
  });
});

it('SIGTERM of three processes in turn fails no request, and each event is handled once', async () => {
  const apps = await FixtureApps.create();
  endLater(apps);
  const startPlace = async (port: number): Promise<Place> => {
    const start = () => apps.start('serving-app.mjs', String(port), apps.keyFile);
    let app = start();
    await app.said('serving');
    const restart = async (): Promise<void> => {
      await app.stop('SIGTERM');
      app = start();
    };
    return { port, restart };
  };
  const ports = await threePorts();
  const places = await Promise.all(ports.map(startPlace));
  const client = newClient({ servers: serversAt(ports), keyFile: apps.keyFile, redial: REDIAL });
  const load = new Load(client);
  await roll(client, load, places, 1);
  await client.close();
  await apps.stop('SIGTERM');
  expect(load.failures).toEqual([]);
  expect(sorted(apps.linesWith('event '))).toEqual(sorted(load.acknowledged));
});
