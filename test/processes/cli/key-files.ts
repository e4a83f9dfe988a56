// Key files for the tests of the command line.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { generateKey, SecretKey } from '@sealwire/crypto';
import { formatKeyringFile, parseKeyringFile } from '@sealwire/crypto/internal';
import type { KeyringFileEntry } from '@sealwire/crypto/internal';
import { onTestFinished } from 'vitest';

type Given = Partial<Omit<KeyringFileEntry, 'key'>> & {
  readonly label?: string;
  readonly patterns?: readonly string[];
};

export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sealwire-cli-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export function entry({ label = 'main', patterns, state = 'accept', ...rest }: Given = {}): KeyringFileEntry {
  const bytes = rest.bytes ?? generateKey();
  return { ...rest, bytes, state, key: SecretKey.fromBytes(bytes, 'The key', { label, patterns }) };
}

/** Writes a keyring with these entries, mode 0600. @returns Its path. */
export function writeRing(entries: readonly KeyringFileEntry[], directory = newDirectory()): string {
  const path = join(directory, 'ring.json');
  writeFileSync(path, formatKeyringFile(entries), { mode: 0o600 });
  return path;
}

/** Returns the ids of a keyring with their states: `id` → `primary`. */
export function statesOf(path: string): Readonly<Record<string, string>> {
  const entries = parseKeyringFile(readFileSync(path), 'The ring');
  return Object.fromEntries(entries.map(({ key, state }) => [key.id, state]));
}
