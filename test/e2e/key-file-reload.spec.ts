// Both ends with the option keyFile, while the file changes.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Logger } from '@nestjs/common';
import { generateKey, SecretKey } from '@sealwire/crypto';
import type { KeyState } from '@sealwire/crypto';
import { formatKeyringFile } from '@sealwire/crypto/internal';
import { SealwireClient, SealwireServer } from '@sealwire/transport';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { listenToWarnings, outcome } from '../support/application.js';
import { LogLines } from '../support/legacy.js';
import { endAll, endLater, listen, portOf } from '../support/pair.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealwire-'));
});

afterEach(async () => {
  await endAll();
  Logger.overrideLogger(false);
  rmSync(directory, { recursive: true, force: true });
});

function newKey() {
  const bytes = generateKey();
  const key = SecretKey.fromBytes(bytes, 'The key', { label: 'a label' });
  return { bytes, id: key.id, as: (state: KeyState) => ({ bytes, key, state }) };
}

type Entry = ReturnType<ReturnType<typeof newKey>['as']>;

function put(name: string, ...ring: readonly Entry[]): string {
  const path = join(directory, name);
  writeFileSync(`${path}.new`, formatKeyringFile(ring), { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return path;
}

describe('the option keyFile', () => {
  it('follows the file: keys are replaced at both ends without a restart and without a lost call', async () => {
    const log = new LogLines();
    Logger.overrideLogger(log);
    const [old, next] = [newKey(), newKey()];
    const serverFile = put('server.json', old.as('accept')); // a server needs no primary key
    const clientFile = put('client.json', old.as('primary'));
    const server = new SealwireServer({ port: 0, keyFile: serverFile });
    endLater(server);
    server.addHandler('echo', (data: unknown) => Promise.resolve(data));
    expect(server.snapshot().keys).toBeUndefined();
    await listen(server);
    const client = new SealwireClient({ port: portOf(server), keyFile: clientFile });
    endLater(client);
    const call = async (): Promise<void> => expect(await outcome(client.send('echo', 1))).toBe(1);
    await call();
    expect(server.snapshot().keys).toMatchObject({
      ids: [old.id],
      labels: { [old.id]: 'a label' },
      primary: undefined,
    });
    expect(client.snapshot().keys).toMatchObject({ ids: [old.id], primary: old.id });

    put('server.json', old.as('accept'), next.as('accept'));
    await expect.poll(() => server.snapshot().keys?.ids).toEqual([old.id, next.id]);
    put('client.json', next.as('primary'), old.as('accept'));
    await expect.poll(() => client.snapshot().keys?.primary).toBe(next.id);
    await expect.poll(() => server.snapshot().connectionsByKey).toMatchObject([{ keyId: next.id }]);
    put('server.json', next.as('accept'));
    await expect.poll(() => server.snapshot().keys?.ids).toEqual([next.id]);
    await call();

    writeFileSync(serverFile, '{"keys":[]}'.padEnd(40));
    await expect.poll(() => server.snapshot().keys?.error?.code).toBe('ERR_KEYRING_FORMAT');
    expect(server.snapshot().keys?.ids).toEqual([next.id]);
    await client.close();
    await call();
    expect(log.lines).toEqual(
      expect.arrayContaining([
        expect.stringContaining(`Loaded keyring ${serverFile}: 1 key, primary none`),
        expect.stringContaining(`Loaded keyring ${clientFile}: 2 keys, primary ${next.id}`),
        expect.stringMatching(
          `Cannot reload the keys, so the keys loaded at .* stay in force: Key file ${serverFile} has no keys`,
        ),
      ]),
    );
  });

  it('that loses its primary key keeps the connection of the client, with one warning', async () => {
    const [old, next] = [newKey(), newKey()];
    const server = new SealwireServer({ port: 0, keyFile: put('server.json', old.as('accept'), next.as('accept')) });
    endLater(server);
    server.addHandler('echo', (data: unknown) => Promise.resolve(data));
    await listen(server);
    const client = new SealwireClient({ port: portOf(server), keyFile: put('client.json', old.as('primary')) });
    endLater(client);
    const warnings = listenToWarnings();
    expect(await outcome(client.send('echo', 1))).toBe(1);
    put('client.json', old.as('accept'));
    await expect.poll(() => client.snapshot().keys?.primary).toBeUndefined();
    expect(await outcome(client.send('echo', 2))).toBe(2);
    expect(server.snapshot().accepted).toBe(1);
    put('client.json', next.as('primary'));
    await expect.poll(() => server.snapshot().connectionsByKey).toMatchObject([{ keyId: next.id }]);
    expect(warnings).toEqual([
      expect.stringMatching(/^The keyring no longer has a primary key: open connections stay/),
    ]);
  });

  it('without a primary key at a client fails a call with the reason', async () => {
    const key = newKey();
    const client = new SealwireClient({ port: 1, keyFile: put('client.json', key.as('accept')) });
    endLater(client);
    expect(await outcome(client.send('echo', 1))).toMatchObject({ code: 'ERR_KEYRING_NO_PRIMARY' });
  });

  it('is watched neither after close() nor by more than one handle', async () => {
    const handles = (): number => process.getActiveResourcesInfo().filter((name) => name === 'FSEventWrap').length;
    const before = handles();
    const key = newKey();
    const keyFile = put('ring.json', key.as('primary'));
    const server = new SealwireServer({ port: 0, keyFile });
    endLater(server);
    server.addHandler('echo', (data: unknown) => Promise.resolve(data));
    await listen(server);
    const clients = Array.from({ length: 10 }, () => new SealwireClient({ port: portOf(server), keyFile }));
    for (const client of clients) endLater(client);
    for (const client of clients) expect(await outcome(client.send('echo', 1))).toBe(1);
    expect(handles() - before).toBeLessThanOrEqual(1);
    await Promise.all(clients.map((client) => client.close()));
    await server.close();
    expect(handles()).toBe(before);
  });
});
