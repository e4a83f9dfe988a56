import type { KeysChange } from './key-source.js';
import type { RingKey } from './ring-key.js';
import { isUsable } from './ring-key.js';
import type { SecretKey } from './secret-key.js';

/** The keys of a ring at one moment. */
export class KeyringView {
  readonly #usable = new Map<string, SecretKey>();
  readonly #revoked = new Set<string>();
  readonly #primary: string | undefined;

  constructor(keys: readonly RingKey[], unixMs: number) {
    const usable = keys.filter((key) => isUsable(key, unixMs));
    for (const { key } of usable) this.#usable.set(key.id, key);
    for (const { key, state } of keys) if (state === 'revoked') this.#revoked.add(key.id);
    this.#primary = usable.find(({ state }) => state === 'primary')?.key.id;
  }

  /** Returns the way from `before` to this view; undefined if they are equal. */
  changeSince(before: KeyringView): KeysChange | undefined {
    const ids = [...this.#usable.keys()];
    const change = {
      added: ids.filter((id) => !before.#usable.has(id)),
      removed: [...before.#usable.keys()].filter((id) => !this.#usable.has(id)),
      revoked: [...this.#revoked].filter((id) => !before.#revoked.has(id)),
      updated: ids.filter((id) => isUpdated(before.#usable.get(id), this.#usable.get(id))),
      primaryChanged: before.#primary !== this.#primary,
      primary: this.#primary,
    };
    const { added, removed, revoked, updated, primaryChanged } = change;
    const isEqual = [added, removed, revoked, updated].every(({ length }) => length === 0) && !primaryChanged;
    return isEqual ? undefined : change;
  }
}

function isUpdated(before: SecretKey | undefined, after: SecretKey | undefined): boolean {
  if (before === undefined || after === undefined) return false;
  return before.label !== after.label || before.patterns?.join('\0') !== after.patterns?.join('\0');
}
