// Keys that the command line changes while two client applications and two server applications run, each in a process of
// its own: a rotation fails no call, and a revoked or expired key ends.
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { generateKey, keyId, SecretKey } from '@sealwire/crypto';
import { editKeyringFile, formatKeyringFile } from '@sealwire/crypto/internal';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { FixtureApps } from '../support/fixture-app.js';
import type { FixtureApp } from '../support/fixture-app.js';
import { sealwire } from './cli/sealwire.js';

const ROTATIONS = 10;
const ROTATIONS_OF_OWN_FILES = 2;
/** From the change of a ring to the end of its key, so that every server has loaded it before. */
const TIME_TO_LOAD_MS = 5_000;
const LOADED = { timeout: 60_000, interval: 20 };

/** What a fixture prints of its state; a server has no counters of calls, a client no connections by key. */
interface State {
  readonly keys?: { readonly ids: readonly string[]; readonly primary?: string };
  readonly connectionsByKey: readonly { readonly keyId: string; readonly connections: number }[];
  readonly connectionsFailed: number;
  readonly connected: number;
  readonly renewed: number;
  readonly dialsFailed: number;
  readonly retries: number;
  readonly begun: number;
  readonly answered: number;
  readonly failed: number;
  readonly seconds: number;
}

let apps: FixtureApps;
let directory: string;
let questions = 0;

beforeEach(async () => {
  apps = await FixtureApps.create();
  directory = await mkdtemp(join(tmpdir(), 'sealwire-rotation-'));
});

afterEach(async () => {
  await apps.close();
  await rm(directory, { recursive: true, force: true });
});

async function stateOf(app: FixtureApp): Promise<State> {
  const question = `state ${questions++}`;
  app.write(question);
  return JSON.parse(await app.said(`${question} `)) as State;
}

/** A new key in a raw key file of its own. */
function newKey(name: string) {
  const bytes = generateKey();
  const file = join(directory, name);
  writeFileSync(file, bytes, { mode: 0o600 });
  return { id: keyId(bytes), bytes, file, label: name };
}

type NewKey = ReturnType<typeof newKey>;

/** A keyring whose first key is the primary one. */
function newRing(name: string, keys: readonly NewKey[]): string {
  const file = join(directory, name);
  const entries = keys.map(({ bytes, label }, index) => {
    const key = SecretKey.fromBytes(bytes, name, { label });
    return { bytes, key, state: index === 0 ? ('primary' as const) : ('accept' as const) };
  });
  writeFileSync(file, formatKeyringFile(entries), { mode: 0o600 });
  return file;
}

/** `sealwire keyring VERB FILE …` as a process. */
async function keyring(verb: string, file: string, ...args: readonly string[]): Promise<void> {
  const { status, stderr } = await sealwire(['keyring', verb, file, ...args]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
}

async function startServers(ring: string): Promise<readonly FixtureApp[]> {
  const servers = [apps.start('rotating-server.mjs', ring), apps.start('rotating-server.mjs', ring)];
  await portsOf(servers);
  return servers;
}

function portsOf(servers: readonly FixtureApp[]): Promise<readonly string[]> {
  return Promise.all(servers.map((server) => server.said('port ')));
}

async function startClient(keyFile: string, servers: readonly FixtureApp[]): Promise<FixtureApp> {
  const client = apps.start('rotating-client.mjs', keyFile, ...(await portsOf(servers)));
  await client.said('calling');
  await expect.poll(async () => (await stateOf(client)).answered, LOADED).toBeGreaterThan(20);
  return client;
}

/** Waits until each process has loaded a ring with these keys. */
async function untilLoaded(processes: readonly FixtureApp[], ids: readonly string[]): Promise<void> {
  const idsOf = async (each: FixtureApp) => (await stateOf(each)).keys?.ids.toSorted();
  const loaded = processes.map(() => [...ids].sort());
  await expect.poll(() => Promise.all(processes.map(idsOf)), LOADED).toEqual(loaded);
}

/** Waits until each client has had this many more answers. */
async function untilAnswered(clients: readonly FixtureApp[], more: number): Promise<void> {
  for (const client of clients) {
    const { answered } = await stateOf(client);
    await expect.poll(async () => (await stateOf(client)).answered, LOADED).toBeGreaterThan(answered + more);
  }
}

async function stop(client: FixtureApp): Promise<State> {
  client.write('stop');
  return JSON.parse(await client.said('stopped ')) as State;
}

const keysInUse = async (server: FixtureApp): Promise<readonly string[]> =>
  (await stateOf(server)).connectionsByKey.map((one) => one.keyId);

/** Waits until every connection of the servers has this key. */
async function untilInUse(servers: readonly FixtureApp[], id: string): Promise<void> {
  for (const server of servers) await expect.poll(() => keysInUse(server), LOADED).toEqual([id]);
}

/** Ends the clients, prints what their calls came to, and expects that none has failed. */
async function stopWithoutFailure(clients: readonly FixtureApp[], rotations: number) {
  const ends = await Promise.all(clients.map(stop));
  const sum = (read: (state: State) => number): number => ends.reduce((total, end) => total + read(end), 0);
  const figures = {
    rotations,
    seconds: Number(ends[0]?.seconds.toFixed(1)),
    callsPerSecond: Math.round(sum(({ begun, seconds }) => begun / seconds)),
    calls: sum(({ begun }) => begun),
    answered: sum(({ answered }) => answered),
    failed: sum(({ failed }) => failed),
    retried: sum(({ retries }) => retries),
    connections: sum(({ connected }) => connected),
    renewed: sum(({ renewed }) => renewed),
  };
  console.log(`rotation under load: ${JSON.stringify(figures)}`);
  expect(apps.linesWith('failed ')).toEqual([]);
  expect(figures).toMatchObject({ failed: 0, answered: figures.calls });
  expect(figures.callsPerSecond).toBeGreaterThan(190);
  return figures;
}

describe('two clients and two servers in processes of their own', () => {
  it(`fail no call while the key is replaced ${ROTATIONS} times`, async () => {
    let current = newKey('key-0');
    const ring = newRing('ring.json', [current]);
    const servers = await startServers(ring);
    const clients = await Promise.all([startClient(ring, servers), startClient(ring, servers)]);
    const all = [...servers, ...clients];
    for (let rotation = 1; rotation <= ROTATIONS; rotation++) {
      const before = current;
      current = newKey(`key-${rotation}`);
      const { id, file, label } = current;
      await keyring('install', ring, '--from', file, '--label', label);
      await untilLoaded(all, [before.id, id]);
      await keyring('use', ring, label, '--yes');
      for (const client of clients)
        await expect.poll(async () => (await stateOf(client)).keys?.primary, LOADED).toBe(id);
      // Every second time, the old key goes before the connections have moved.
      if (rotation % 2 === 0) await untilInUse(servers, id);
      await keyring('remove', ring, before.id, '--yes');
      await untilLoaded(all, [id]);
    }
    await untilInUse(servers, current.id);
    const figures = await stopWithoutFailure(clients, ROTATIONS);
    expect(figures.connections).toBeGreaterThanOrEqual(2 * 2 * (ROTATIONS + 1));
    expect(figures.renewed).toBeGreaterThanOrEqual((2 * 2 * ROTATIONS) / 2);
    for (const server of servers) expect(await stateOf(server)).toMatchObject({ connectionsFailed: 0 });
  });

  it('fail no call if each has a key file of its own, which are changed one after the other in the documented order', async () => {
    let current = newKey('key-0');
    const files = ['server-1', 'server-2', 'client-1', 'client-2'].map((name) => newRing(name, [current]));
    const servers = files.slice(0, 2).map((file) => apps.start('rotating-server.mjs', file));
    const clients = await Promise.all(files.slice(2).map((file) => startClient(file, servers)));
    const steps = [...servers, ...clients].map((app, index) => ({ app, file: files[index] ?? '' }));
    const [first, second] = clients;
    if (first === undefined || second === undefined) throw new TypeError('No two clients');
    for (let rotation = 1; rotation <= ROTATIONS_OF_OWN_FILES; rotation++) {
      const before = current;
      current = newKey(`key-${rotation}`);
      const { id, file: from, label } = current;
      for (const { app, file } of steps) {
        await keyring('install', file, '--from', from, '--label', label);
        await untilLoaded([app], [before.id, id]);
        await untilAnswered(clients, 20);
      }
      for (const { app, file } of steps.slice(2)) {
        await keyring('use', file, label, '--yes');
        await expect.poll(async () => (await stateOf(app)).keys?.primary, LOADED).toBe(id);
        if (app === first) expect((await stateOf(second)).keys?.primary).toBe(before.id);
        await untilAnswered(clients, 20);
      }
      await untilInUse(servers, id);
      for (const { app, file } of steps) {
        if (servers.includes(app)) await keyring('use', file, label, '--yes'); // or it would keep its primary key
        await keyring('remove', file, before.id, '--yes');
        await untilLoaded([app], [id]);
        await untilAnswered(clients, 20);
      }
    }
    const figures = await stopWithoutFailure(clients, ROTATIONS_OF_OWN_FILES);
    expect(figures.renewed).toBe(2 * 2 * ROTATIONS_OF_OWN_FILES);
    for (const server of servers) expect(await stateOf(server)).toMatchObject({ connectionsFailed: 0 });
  });

  it('lose a revoked key within a second, and refuse it from then on; an expired key ends as a removed one', async () => {
    const [kept, leaked, expiring] = [newKey('kept'), newKey('leaked'), newKey('expiring')];
    const ring = newRing('servers.json', [kept, leaked]);
    const expiringRing = newRing('client.json', [kept, expiring]);
    const servers = await startServers(ring);
    const keyFiles = [kept.file, leaked.file, expiringRing];
    const clients = await Promise.all(keyFiles.map((keyFile) => startClient(keyFile, servers)));
    const [stays, leaves, expires] = clients;
    if (stays === undefined || leaves === undefined || expires === undefined) throw new TypeError('No three clients');
    await keyring('revoke', ring, 'leaked', '--yes');
    for (const server of servers) {
      const closed = await server.said('closed ');
      const [closedMs, , id, code] = closed.split(' ');
      expect([id, code]).toEqual([leaked.id, 'ERR_KEY_REVOKED']);
      const loaded = server.lines.find(
        (line) => line.includes('Loaded keyring') && line.includes(': 1 usable key of 2,'),
      );
      const tookMs = Number(closedMs) - Number(loaded?.split(' ')[1]);
      console.log(`revoked: connection destroyed ${tookMs.toFixed(1)} ms after the ring was loaded`);
      expect(Math.abs(tookMs)).toBeLessThan(1_000);
    }
    const failures = leaves.lines.filter((line) => line.startsWith('failed ')).length;
    const refused = () => leaves.lines.filter((line) => line.includes('ERR_ALERT sent=false')).length;
    await expect.poll(refused, LOADED).toBeGreaterThan(failures + 20);
    for (const server of servers) expect(await keysInUse(server)).toEqual([kept.id]);
    await leaves.stop('SIGKILL');

    await keyring('use', expiringRing, 'expiring', '--yes'); // refused, and tried again, until the servers have it
    await keyring('install', ring, '--from', expiring.file, '--label', 'expiring');
    const inUse = async (): Promise<readonly string[]> => (await Promise.all(servers.map(keysInUse))).flat();
    await expect.poll(async () => (await inUse()).filter((id) => id === expiring.id), LOADED).toHaveLength(2);
    const endMs = Date.now() + TIME_TO_LOAD_MS;
    await editKeyringFile(ring, (entries) =>
      entries.map((entry) => (entry.key.id === expiring.id ? { ...entry, notAfter: endMs } : entry)),
    );
    for (const server of servers) {
      const isExpiry = (line: string): boolean => line.startsWith('closed ') && line.includes(expiring.id);
      await expect.poll(() => server.lines.filter(isExpiry), LOADED).toHaveLength(1);
      const [, , closedAt, , code] = server.lines.find(isExpiry)?.split(' ') ?? [];
      expect(code).toBe('undefined'); // drained, and closed by both ends
      expect(Number(closedAt)).toBeGreaterThanOrEqual(endMs);
    }
    const first = await expires.said('failed ');
    expect(first).toMatch(/ERR_ALERT sent=false$/);
    expect(Number(first.split(' ')[0])).toBeGreaterThanOrEqual(endMs);
    for (const server of servers) expect(await keysInUse(server)).toEqual([kept.id]);
    expect(await stop(stays)).toMatchObject({ failed: 0 });
  });
});
