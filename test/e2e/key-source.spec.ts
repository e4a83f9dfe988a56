import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createKeyFile } from '@sealwire/crypto';
import type { KeySource, SecretKey } from '@sealwire/crypto';
import { SealwireClient, SealwireServer } from '@sealwire/transport';
import { firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';

import { listenToWarnings, outcome } from '../support/application.js';
import { endAll, endLater, listen, newClient, newKeyring, portOf, startServer } from '../support/pair.js';

afterEach(() => endAll());

const [{ primary: first }, { primary: second }] = [newKeyring(), newKeyring()];

/** The keys of one end, as they are now. */
class ChangingKeys implements KeySource {
  primary = first;
  accepted: readonly SecretKey[] = [first];

  find(idBytes: Uint8Array): SecretKey | undefined {
    return this.accepted.find(
      (key) => Buffer.from(key.idBytes).toString('hex') === Buffer.from(idBytes).toString('hex'),
    );
  }
}

describe('a source of keys', () => {
  it('is called at every handshake, so that a key is rotated while both ends run', async () => {
    const serverKeys = new ChangingKeys();
    const clientKeys = new ChangingKeys();
    const server = await startServer({ keyring: serverKeys });
    const client = newClient(portOf(server), { keyring: clientKeys });
    const keyIds: string[] = [];
    server.connectionEvents.subscribe((event) => {
      if (event.type === 'opened') keyIds.push(event.keyId);
    });
    const reconnect = async (): Promise<unknown> => {
      await client.close();
      return outcome(client.send('echo', 'x'));
    };

    expect(await reconnect()).toBe('x');
    serverKeys.accepted = [first, second];
    expect(await reconnect()).toBe('x');
    clientKeys.primary = second;
    expect(await reconnect()).toBe('x');
    serverKeys.accepted = [second];
    expect(await reconnect()).toBe('x');
    clientKeys.primary = first;
    expect(await reconnect()).toMatchObject({ code: 'ERR_ALERT', sent: false });
    expect(keyIds).toEqual([first.id, first.id, second.id, second.id]);
  });

  it('without a key yet fails the call with its own error, and is called again for the next call', async () => {
    const server = await startServer({ keyring: new ChangingKeys() });
    const notYet = new Error('the vault is sealed');
    const keys = new ChangingKeys();
    Object.defineProperty(keys, 'primary', {
      configurable: true,
      get: () => {
        throw notYet;
      },
    });
    const client = newClient(portOf(server), { keyring: keys });
    await expect(firstValueFrom(client.send('echo', 1))).rejects.toBe(notYet);
    Object.defineProperty(keys, 'primary', { value: first });
    expect(await firstValueFrom(client.send('echo', 1))).toBe(1);
  });
});

/** Results that are not those of a source of keys, and what the error says. */
const WRONG: readonly [string, () => unknown, RegExp][] = [
  ['a promise', () => Promise.resolve(first), /is a promise; it must be a SecretKey\. A KeySource is synchronous/],
  ['a promise that rejects', () => Promise.reject(new Error('the vault is sealed')), /is a promise/],
  ['a text', () => 'key', /is of type string; it must be a SecretKey/],
  ['an object without psk', () => ({}), /is of type object; it must be a SecretKey/],
  ['a short psk', () => ({ ...named, psk: () => new Uint8Array(3) }), /psk\(\) is 3 bytes; it must be 32 bytes/],
  ['a psk that is a text', () => ({ ...named, psk: () => 'x'.repeat(32) }), /psk\(\) is of type string/],
  ['a psk that is a promise', () => ({ ...named, psk: () => Promise.reject(new Error('x')) }), /psk\(\) is a promise/],
];
const named = { id: first.id, idBytes: first.idBytes };
const SHORT_ID = () => ({ ...named, idBytes: new Uint8Array(3), psk: () => first.psk() });

describe('a source of keys that returns no key', () => {
  it.each(WRONG)('at the server refuses the client and is logged: %s', async (_what, find, reason) => {
    const server = await startServer({ keyring: { primary: first, find } as unknown as KeySource });
    const client = newClient(portOf(server), { keyring: new ChangingKeys() });
    const warnings = listenToWarnings();
    expect(await outcome(client.send('echo', 1))).toMatchObject({ code: 'ERR_ALERT', sent: false });
    expect(warnings).toEqual([expect.stringMatching(reason)]);
    expect(warnings[0]).toContain('ERR_BAD_OPTION');
    await expect.poll(() => server.snapshot()).toMatchObject({ strangers: 0, connections: 0 });
  });

  it.each([
    ...WRONG,
    ['undefined', () => undefined, /primary is missing; it must be a SecretKey/] as const,
    ['a short id', SHORT_ID, /primary\.idBytes is 3 bytes; it must be 8 bytes/] as const,
  ])('at the client fails the call: %s', async (_what, primary, reason) => {
    const server = await startServer({ keyring: new ChangingKeys() });
    const keys = { find: () => undefined, get primary() { return primary(); } }; // prettier-ignore
    const client = newClient(portOf(server), { keyring: keys as unknown as KeySource });
    expect(await outcome(client.send('echo', 1))).toMatchObject({
      code: 'ERR_BAD_OPTION',
      message: expect.stringMatching(reason),
      sent: false,
    });
  });

  it('at the server refuses the client and is logged if it throws', async () => {
    const find = (): never => {
      throw new Error('the vault is sealed');
    };
    const server = await startServer({ keyring: { primary: first, find } });
    const client = newClient(portOf(server), { keyring: new ChangingKeys() });
    const warnings = listenToWarnings();
    expect(await outcome(client.send('echo', 1))).toMatchObject({ code: 'ERR_ALERT' });
    expect(warnings).toEqual([expect.stringMatching(/find\(\) of the keyring failed \(ERR_INTERNAL\)/)]);
  });
});

describe('a key file', () => {
  it('that is world-readable is logged as a warning by the server and by the client that use it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sealwire-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const keyFile = join(folder, 'aes_key.bin');
    await createKeyFile(keyFile);
    await chmod(keyFile, 0o644);
    const options = { keyFile, keyPolicy: 'mounted-secret' as const };
    const warnings = listenToWarnings();
    const server = new SealwireServer({ port: 0, ...options });
    endLater(server);
    server.addHandler('echo', (data: unknown) => Promise.resolve(data));
    await listen(server);
    const client = new SealwireClient({ port: portOf(server), ...options });
    endLater(client);
    expect(await outcome(client.send('echo', 1))).toBe(1);
    expect(await outcome(client.send('echo', 2))).toBe(2);
    const warning = expect.stringMatching(/^Key file .*: the policy mounted-secret/) as string;
    expect(warnings).toEqual([warning, warning]);
  });
});
