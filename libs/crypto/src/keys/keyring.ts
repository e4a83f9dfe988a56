import { inspect } from 'node:util';

import { brand } from '../brand.js';
import { CryptoError } from '../errors.js';
import type { KeySource } from './key-source.js';
import { toHex } from './schedule.js';
import type { SecretKey } from './secret-key.js';

/** The keys of a process, immutable. The primary one starts handshakes; each of them can answer a handshake. */
export class Keyring implements KeySource {
  static {
    brand(this, 'crypto/Keyring');
  }

  readonly primary: SecretKey;
  readonly #byId: ReadonlyMap<string, SecretKey>;

  private constructor(primary: SecretKey, byId: ReadonlyMap<string, SecretKey>) {
    this.primary = primary;
    this.#byId = byId;
    Object.freeze(this);
  }

  /** @throws {CryptoError} `ERR_KEYRING_DUPLICATE` - the same key twice: one of the files is not the intended one. */
  static of(primary: SecretKey, ...others: readonly SecretKey[]): Keyring {
    const byId = new Map<string, SecretKey>();
    for (const key of [primary, ...others]) {
      if (byId.has(key.id))
        throw new CryptoError('ERR_KEYRING_DUPLICATE', `Invalid keyring: it contains key ${key.id} twice`);
      byId.set(key.id, key);
    }
    return new Keyring(primary, byId);
  }

  /** The ids of all keys, the primary one first. */
  get ids(): readonly string[] {
    return [...this.#byId.keys()];
  }

  /** Returns the key with this id of 8 bytes, if the ring contains it. */
  find(idBytes: Uint8Array): SecretKey | undefined {
    return this.#byId.get(toHex(idBytes));
  }

  toString(): string {
    return `Keyring(${this.ids.join(', ')})`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}
