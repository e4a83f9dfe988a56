// The public facts of the keys of a file, as the verbs print them.
import { wipe } from '@sealwire/crypto';
import type { KeyFileOptions, KeyFilePolicy } from '@sealwire/crypto';
import { formatTimestamp, readEntries } from '@sealwire/crypto/internal';
import type { KeyFileEntries, KeyringFileEntry } from '@sealwire/crypto/internal';

import type { Input } from '../input.js';
import { printable } from '../terminal.js';
import type { Terminal } from '../terminal.js';

export interface KeyView {
  readonly kid: string;
  /** Null if the key has none. */
  readonly label: string | null;
  readonly state: KeyringFileEntry['state'];
  readonly notBefore: string | null;
  readonly notAfter: string | null;
  /** Null: all. */
  readonly patterns: readonly string[] | null;
}

const POLICIES: readonly [KeyFilePolicy, KeyFilePolicy] = ['strict', 'mounted-secret'];

export function viewOf({ key, state, notBefore, notAfter }: KeyringFileEntry): KeyView {
  return {
    kid: key.id,
    label: key.label ?? null,
    state,
    notBefore: notBefore === undefined ? null : formatTimestamp(notBefore),
    notAfter: notAfter === undefined ? null : formatTimestamp(notAfter),
    patterns: key.patterns ?? null,
  };
}

/** Returns the policy of the option, whose consequences are printed if it is not the strict one. */
export function readOptions(input: Input, terminal: Terminal): KeyFileOptions {
  const policy = input.oneOf('policy', POLICIES);
  return policy === 'strict' ? { policy } : { policy, warn: (message) => terminal.warn(message) };
}

/** Reads the key file of the argument FILE, and overwrites its keys after `use`. */
export function withKeys<T>(input: Input, terminal: Terminal, use: (keys: KeyFileEntries) => T): T {
  const keys = readEntries(input.argument('FILE'), readOptions(input, terminal));
  try {
    return use(keys);
  } finally {
    wipeAll(keys);
  }
}

export function wipeAll({ entries }: Pick<KeyFileEntries, 'entries'>): void {
  for (const { bytes } of entries) wipe(bytes);
}

/** Returns a key as a sentence names it. */
export function nameOf({ key: { id, label } }: KeyringFileEntry): string {
  return label === undefined ? id : `${id} (${printable(label)})`;
}
