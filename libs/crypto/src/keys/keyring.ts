import { inspect } from 'node:util';

import { brand } from '../brand.js';
import { clock } from '../clock.js';
import { CryptoError } from '../errors.js';
import type { KeySource, KeysStatus } from './key-source.js';
import { formatTimestamp } from './timestamp.js';
import { isUsable } from './ring-key.js';
import type { RingKey } from './ring-key.js';
import { toHex } from './schedule.js';
import type { SecretKey } from './secret-key.js';

/**
 * The keys of a process, immutable. The primary key starts handshakes; every key that may be used now can answer one.
 * Keys of a keyring file may have time windows, which every call compares with the wall clock.
 */
export class Keyring implements KeySource {
  static {
    brand(this, 'crypto/Keyring');
  }

  /** All keys, including those that cannot be used. */
  readonly keys: readonly RingKey[];
  readonly #byId: ReadonlyMap<string, RingKey>;
  readonly #loadedAt = clock.unixMs();

  private constructor(byId: ReadonlyMap<string, RingKey>) {
    this.keys = Object.freeze([...byId.values()]);
    this.#byId = byId;
    Object.freeze(this);
  }

  /**
   * Creates a keyring with a primary key and further accepted keys.
   *
   * @throws {CryptoError} `ERR_KEYRING_DUPLICATE` - the same key was given twice; one of the two was probably read from
   *   the wrong file.
   */
  static of(primary: SecretKey, ...others: readonly SecretKey[]): Keyring {
    const accepted = others.map((key) => ({ key, state: 'accept' }) as const);
    return Keyring.ofRing([{ key: primary, state: 'primary' }, ...accepted]);
  }

  /**
   * Creates a keyring. One without a primary key can only answer handshakes.
   *
   * @throws {CryptoError} `ERR_KEYRING_DUPLICATE` - the same key was given twice; `ERR_KEYRING_PRIMARY` - more than
   *   one key is primary.
   */
  static ofRing(keys: readonly RingKey[]): Keyring {
    const byId = new Map<string, RingKey>();
    for (const { key, state, notBefore, notAfter } of keys) {
      if (byId.has(key.id))
        throw new CryptoError(
          'ERR_KEYRING_DUPLICATE',
          `Invalid keyring: it contains key ${key.id} twice; expected once`,
        );
      byId.set(key.id, Object.freeze({ key, state, notBefore, notAfter }));
    }
    const primaries = keys.filter(({ state }) => state === 'primary');
    if (primaries.length > 1) {
      const ids = primaries.map(({ key }) => key.id).join(', ');
      throw new CryptoError('ERR_KEYRING_PRIMARY', `Invalid keyring: keys ${ids} are primary; expected at most one`);
    }
    return new Keyring(byId);
  }

  /**
   * The key that starts handshakes.
   *
   * @throws {CryptoError} `ERR_KEYRING_NO_PRIMARY` - the ring has no primary key, or the key cannot be used now.
   */
  get primary(): SecretKey {
    const primary = this.#primary;
    if (primary !== undefined && isUsable(primary, clock.unixMs())) return primary.key;
    throw noPrimary(primary);
  }

  /** The ids of the keys that may be used now, the primary one first. */
  get ids(): readonly string[] {
    const nowMs = clock.unixMs();
    const usable = this.keys.filter((key) => isUsable(key, nowMs));
    const primaryFirst = usable.toSorted((one, other) => rank(one) - rank(other));
    return primaryFirst.map(({ key }) => key.id);
  }

  get status(): KeysStatus {
    const { ids } = this;
    const labels: Record<string, string> = {};
    for (const id of ids) {
      const label = this.#byId.get(id)?.key.label;
      if (label !== undefined) labels[id] = label;
    }
    const primary = this.#primary?.key.id;
    return {
      ids,
      labels,
      primary: primary !== undefined && ids.includes(primary) ? primary : undefined,
      loadedAt: this.#loadedAt,
    };
  }

  /** Returns the key with this id of 8 bytes, if the ring contains it and it may be used now. */
  find(idBytes: Uint8Array): SecretKey | undefined {
    const found = this.#byId.get(toHex(idBytes));
    return found !== undefined && isUsable(found, clock.unixMs()) ? found.key : undefined;
  }

  get #primary(): RingKey | undefined {
    return this.keys.find(({ state }) => state === 'primary');
  }

  toString(): string {
    return `Keyring(${this.ids.join(', ')})`;
  }

  /** Returns the same public text as `toString()`, so that JSON contains no key. */
  toJSON(): string {
    return this.toString();
  }

  /** Returns the same public text as `toString()`, so that `util.inspect` shows no key. */
  [inspect.custom](): string {
    return this.toString();
  }
}

function rank({ state }: RingKey): number {
  return state === 'primary' ? 0 : 1;
}

function noPrimary(primary: RingKey | undefined): CryptoError {
  const remedy = 'give the state "primary" to a key that both ends have';
  if (primary === undefined)
    return new CryptoError(
      'ERR_KEYRING_NO_PRIMARY',
      `The keyring has no primary key, so no client can connect with it: ${remedy}`,
    );
  const { key, notBefore, notAfter } = primary;
  const window = [
    ...(notBefore === undefined ? [] : [`from ${formatTimestamp(notBefore)}`]),
    ...(notAfter === undefined ? [] : [`until ${formatTimestamp(notAfter)}`]),
  ].join(' ');
  const message = `Primary key ${key.id} of the keyring may be used only ${window}, so no client can connect with the keyring now`;
  return new CryptoError('ERR_KEYRING_NO_PRIMARY', `${message}: ${remedy}`);
}
