import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createKeyFile, generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import type { KeysChange, KeySource } from '@sealwire/crypto';
import { describe, expect, it, onTestFinished } from 'vitest';

import { ChannelKeys } from './channel-keys.js';

function newKeyFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sealwire-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, 'aes_key.bin');
}

const newKeyring = (): Keyring => Keyring.of(SecretKey.fromBytes(generateKey()));

function replace(keyFile: string): string {
  const key = generateKey();
  writeFileSync(`${keyFile}.new`, key, { mode: 0o600 });
  renameSync(`${keyFile}.new`, keyFile);
  return SecretKey.fromBytes(key).id;
}

/** The keys of a key file, and what they report. */
function keysOf(keyFile: string) {
  const lines: string[] = [];
  const note = (line: string): void => void lines.push(line);
  const changes: KeysChange[] = [];
  const keys = new ChannelKeys({ keyFile }, { warn: note, log: note, onChanged: (change) => changes.push(change) });
  onTestFinished(() => keys.detach()());
  return { keys, lines, changes };
}

describe('the keys of an end', () => {
  it.each([{}, { keyFile: 'k', keyring: newKeyring() }])('are one of keyFile and keyring', (options) => {
    expect(() => new ChannelKeys(options, { warn: () => undefined })).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_OPTION' }),
    );
  });

  it('are those of the keyring, whose status they have immediately', async () => {
    const keyring = newKeyring();
    const keys = new ChannelKeys({ keyring }, { warn: () => undefined });
    expect(keys.status).toEqual(keyring.status);
    expect(await keys.load()).toBe(keyring);
    keys.detach()();
    expect(await keys.load()).toBe(keyring);
  });

  it('are loaded once, and follow the key file until they are detached and ended', async () => {
    const keyFile = newKeyFile();
    const first = await createKeyFile(keyFile);
    const { keys, lines, changes } = keysOf(keyFile);
    expect(keys.status).toBeUndefined();
    const loaded = await keys.load();
    expect(await keys.load()).toBe(loaded);
    expect(keys.status?.ids).toEqual([first]);
    const second = replace(keyFile);
    await expect.poll(() => keys.status?.ids).toEqual([second]);
    expect(changes).toMatchObject([{ added: [second], removed: [first], primary: second }]);
    expect(lines).toEqual([`Loaded keyring ${keyFile}: 1 key, primary ${first}`, `Loaded keyring ${keyFile}: 1 key, primary ${second}`]); // prettier-ignore
    const end = keys.detach();
    const third = replace(keyFile);
    await expect.poll(() => loaded.primary.id).toBe(third);
    end();
    replace(keyFile);
    const again = await keys.load();
    expect(again).not.toBe(loaded);
    expect(loaded.primary.id).toBe(third);
  });

  it('are not watched if they are ended while they are loaded', async () => {
    const keyFile = newKeyFile();
    await createKeyFile(keyFile);
    const { keys, changes } = keysOf(keyFile);
    const loading = keys.load();
    keys.detach()();
    const loaded = await loading;
    const before = loaded.primary.id;
    replace(keyFile);
    const again = await keys.load(); // reads the new file, and its watch reports the next one
    replace(keyFile);
    await expect.poll(() => again.primary.id).toBe(keys.status?.primary);
    await expect.poll(() => changes).toHaveLength(1);
    expect(loaded.primary.id).toBe(before);
  });

  it('are loaded again after a failure', async () => {
    const keyFile = newKeyFile();
    const { keys } = keysOf(keyFile);
    await expect(keys.load()).rejects.toMatchObject({ code: 'ERR_KEY_FILE_MISSING' });
    const id = await createKeyFile(keyFile);
    expect((await keys.load()).primary.id).toBe(id);
  });

  it('report the changes of a source of the user until they are ended', async () => {
    const listeners = new Set<(change: KeysChange) => void>();
    const source: KeySource = {
      primary: newKeyring().primary,
      find: () => undefined,
      onChange: (listener) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    };
    const seen: unknown[] = [];
    const keys = new ChannelKeys(
      { keyring: source },
      { warn: () => undefined, onChanged: (_change, changed) => seen.push(changed) },
    );
    await keys.load();
    const change = { added: [], removed: [], revoked: [], updated: [], primaryChanged: true, primary: undefined };
    for (const listener of listeners) listener(change);
    expect(seen).toEqual([source]);
    keys.detach()();
    expect(listeners.size).toBe(0);
  });
});
