import { inspect } from 'node:util';

import { brand } from '../brand.js';
import { wipe } from '../cipher/secret-bytes.js';
import { deriveKeySchedule, toHex } from './schedule.js';
import type { KeySchedule } from './schedule.js';
import { checkKeyStrength } from './strength.js';

/** The description of the holder of a key, from the operator. */
export interface KeyDescription {
  readonly label?: string | undefined;
  readonly patterns?: readonly string[] | undefined;
}

/**
 * A key ready for use. It cannot be printed by accident: `util.inspect`, `JSON.stringify` and `String` show its id. It
 * contains the values that docs/protocol.md §2 derives, not the bytes of the key file.
 */
export class SecretKey {
  static {
    brand(this, 'crypto/SecretKey');
  }

  /** The public name of the key, 16 hexadecimal digits. */
  readonly id: string;
  /** The name of its holder, for logs. Not secret; several keys may have the same one. Undefined if there is none. */
  readonly label: string | undefined;
  /** The message patterns that its holder may call; each may end in `*`. Undefined if the holder may call all. */
  readonly patterns: readonly string[] | undefined;
  readonly #idBytes: Uint8Array;
  readonly #psk: Uint8Array;
  readonly #jwe: Uint8Array;

  private constructor(id: string, { keyId, psk, jwe }: KeySchedule, { label, patterns }: KeyDescription) {
    this.id = id;
    this.label = label;
    this.patterns = patterns && Object.freeze([...patterns]);
    this.#idBytes = keyId;
    this.#psk = psk;
    this.#jwe = jwe;
    Object.freeze(this);
  }

  /**
   * @param key - 32 bytes. Read, never kept: the caller may overwrite them afterwards.
   * @param origin - The name of the key in error messages.
   * @throws {CryptoError} `ERR_KEY_LENGTH`, or the `ERR_KEY_…` of a weak key.
   */
  static fromBytes(key: Uint8Array, origin = 'The key', description: KeyDescription = {}): SecretKey {
    const schedule = deriveKeySchedule(key);
    const id = toHex(schedule.keyId);
    try {
      checkKeyStrength(key, id, origin);
    } catch (error) {
      wipe(schedule.psk, schedule.jwe);
      throw error;
    }
    return new SecretKey(id, schedule, description);
  }

  /** A copy of the 8 bytes that name the key on the wire. */
  get idBytes(): Uint8Array {
    return this.#idBytes.slice();
  }

  /** Returns a copy of the pre-shared key of the channel's handshake, 32 secret bytes. */
  psk(): Uint8Array {
    return this.#psk.slice();
  }

  /**
   * Returns a copy of the content encryption key of envelopes (RFC 7516, `alg: dir`; docs/envelope.md), 32 secret
   * bytes.
   */
  jweKey(): Uint8Array {
    return this.#jwe.slice();
  }

  /** Returns the same key with another description. */
  describedAs(description: KeyDescription): SecretKey {
    return new SecretKey(this.id, { keyId: this.#idBytes, psk: this.#psk, jwe: this.#jwe }, description);
  }

  /** Returns the class name and the public id; never the key. */
  toString(): string {
    return `SecretKey(${this.id})`;
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
