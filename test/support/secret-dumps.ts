// Everything that a user of a Sealwire object can print, and every error that the user can get.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';

import { firstValueFrom } from 'rxjs';

import { loadKeyring, SecretKey, WatchedKeyFile } from '../../libs/crypto/src/index.js';
import type { Keyring } from '../../libs/crypto/src/index.js';
import { SealwireClient, SealwireServer } from '../../libs/transport/src/index.js';
import { LegacyClient, LegacyServer } from '../../libs/transport/src/legacy/index.js';
import { listen, newClient, newKeyring, portOf, startServer } from './pair.js';

/**
 * What prints of all objects that hold a key, in use, and of every kind of error about keys.
 *
 * @param keyring - Its primary key is that of `file`.
 * @param file - The 32 bytes of its key file.
 */
export async function describeEverything(keyring: Keyring, file: Uint8Array): Promise<readonly string[]> {
  const server = await startServer({ keyring });
  const client = newClient(portOf(server), { keyring });
  await firstValueFrom(client.send('echo', 1));
  const errors = await collectErrors(keyring, file, portOf(server));
  const watched = await describeWatched(keyring.primary, file);
  const objects = [
    keyring,
    keyring.primary,
    server,
    client,
    server.unwrap(),
    client.unwrap(),
    server.snapshot(),
    ...watched,
  ];
  return [...objects, ...errors].flatMap(printed);
}

/** A watched keyring file: the object, its status after a wrong content, and what it logs. */
async function describeWatched({ id }: SecretKey, file: Uint8Array): Promise<readonly unknown[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sealwire-dumps-'));
  const path = join(folder, 'ring.json');
  const k = Buffer.from(file).toString('base64url');
  const logged: unknown[] = [];
  const note = (line: string): void => void logged.push(line);
  const ring = (entry: object): string =>
    JSON.stringify({
      keys: [{ kty: 'oct', kid: id, alg: 'A128CBC-HS256', label: 'x', state: 'primary', k, ...entry }],
    });
  await writeFile(path, ring({}), { mode: 0o600 });
  const keys = await WatchedKeyFile.open(path, { log: note, warn: note });
  for (const entry of [
    { k: `${k}=` },
    { label: k },
    { kid: k },
    { state: k },
    { [k]: k },
    { notAfter: k },
    { patterns: [k] },
  ]) {
    await writeFile(path, ring(entry));
    keys.reload();
    logged.push(keys.status);
  }
  await writeFile(path, ring({}).replace(`"${k}"`, k));
  keys.reload();
  keys.close();
  await rm(folder, { recursive: true });
  return [keys, keys.keyring, keys.keyring.keys, keys.status, ...logged];
}

function printed(thing: unknown): string[] {
  const shown = inspect(thing, { showHidden: true, depth: 9, maxArrayLength: null, maxStringLength: null });
  return [shown, String(thing), json(thing), thing instanceof Error ? (thing.stack ?? '') : ''];
}

function json(thing: unknown): string {
  try {
    return JSON.stringify(thing) ?? '';
  } catch {
    return ''; // a socket refers to itself
  }
}

async function collectErrors(keyring: Keyring, file: Uint8Array, port: number): Promise<unknown[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sealwire-dumps-'));
  const write = async (name: string, bytes: Uint8Array, mode = 0o600): Promise<string> => {
    await writeFile(join(folder, name), bytes, { mode });
    return join(folder, name);
  };
  const keyFile = await write('legacy', file);
  const legacy = { port: 0, keyFile, channelKeyring: keyring };
  const attempts: (() => unknown)[] = [
    async () => loadKeyring(await write('short', file.subarray(1))),
    async () => loadKeyring(await write('long', Buffer.concat([file, file]))),
    async () => loadKeyring(await write('open', file, 0o644)),
    async () => loadKeyring(await write('text', Buffer.from(Buffer.from(file).toString('base64').slice(0, 32)))),
    () => SecretKey.fromBytes(file.subarray(1)),
    () => SecretKey.fromBytes(Buffer.alloc(32, file[0] ?? 0)),
    () => new SealwireServer({ keyring, keyFile }),
    () => new SealwireClient({ keyring, port: -1 }),
    () => newClient(port, { keyring: newKeyring() }).connect(),
    () => newClient(port, { keyring, service: 'other' }).connect(),
    () => firstValueFrom(newClient(port, { keyring }).send('nowhere', 1)),
    () => firstValueFrom(newClient(port, { keyring }).send('echo', { toJSON: () => undefined, big: 1n })),
    () => firstValueFrom(newClient(port, { keyring }).send('echo', 1n)),
    () => listen(new LegacyServer(legacy) as unknown as SealwireServer),
    () => new LegacyClient({ ...legacy, port: 1 }).connect(),
  ];
  const errors = await Promise.all(attempts.map(failureOf));
  await rm(folder, { recursive: true });
  return errors;
}

async function failureOf(attempt: () => unknown): Promise<unknown> {
  try {
    return await attempt();
  } catch (error) {
    return error;
  }
}
