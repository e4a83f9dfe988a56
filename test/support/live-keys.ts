import { generateKey, SecretKey } from '@sealwire/crypto';
import type { KeyDescription, KeysChange, KeySource } from '@sealwire/crypto';

/** A new key with a description. */
export function newKey(description: KeyDescription = {}): SecretKey {
  return SecretKey.fromBytes(generateKey(), 'The key', description);
}

/** A key as a rogue peer uses it. */
export function pskOf(key: SecretKey) {
  return { keyId: Buffer.from(key.idBytes), psk: Buffer.from(key.psk()) };
}

/** Keys that a test changes while both ends run. Every change is reported. */
export class LiveKeys implements KeySource {
  readonly #keys = new Map<string, SecretKey>();
  readonly #listeners = new Set<(change: KeysChange) => void>();
  /** Called with the id of every key that is looked up. */
  onFind: (id: string) => void = () => undefined;
  primary: SecretKey;

  constructor(primary: SecretKey, ...others: readonly SecretKey[]) {
    this.primary = primary;
    for (const key of [primary, ...others]) this.#keys.set(key.id, key);
  }

  /** The number of listeners that are called after a change. */
  get listenerCount(): number {
    return this.#listeners.size;
  }

  find(idBytes: Uint8Array): SecretKey | undefined {
    const id = Buffer.from(idBytes).toString('hex');
    this.onFind(id);
    return this.#keys.get(id);
  }

  onChange(listener: (change: KeysChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  add(key: SecretKey): void {
    this.#keys.set(key.id, key);
    this.#report({ added: [key.id] });
  }

  /** Makes a key the one that starts handshakes. */
  use(key: SecretKey): void {
    const added = this.#keys.has(key.id) ? [] : [key.id];
    this.#keys.set(key.id, key);
    this.primary = key;
    this.#report({ added, primaryChanged: true });
  }

  remove({ id }: SecretKey): void {
    this.#keys.delete(id);
    this.#report({ removed: [id] });
  }

  revoke({ id }: SecretKey): void {
    const removed = this.#keys.delete(id) ? [id] : [];
    this.#report({ removed, revoked: [id] });
  }

  /** Gives a key another description. */
  describe(key: SecretKey, { label, patterns }: KeyDescription): void {
    const { id, idBytes } = key;
    const described = { id, idBytes, label, patterns, psk: () => key.psk() };
    this.#keys.set(id, Object.setPrototypeOf(described, SecretKey.prototype) as SecretKey);
    this.#report({ updated: [id] });
  }

  #report(change: Partial<KeysChange>): void {
    const primary = this.primary.id;
    const nothing = { added: [], removed: [], revoked: [], updated: [], primaryChanged: false, primary };
    for (const listener of this.#listeners) listener({ ...nothing, ...change });
  }
}
