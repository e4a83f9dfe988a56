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
    const warning = expect.stringMatching(/^Key file .* under the policy mounted-secret/) as string;
    expect(warnings).toEqual([warning, warning]);
  });
});
