// The keys of the connections of one client, and what a change of its keyring does to these connections.
import type { KeysChange } from '@sealwire/crypto';

import { keyRevoked } from '../errors.js';
import type { TransportError } from '../errors.js';

/** A connection, as its key sees it. */
export interface KeyedConnection {
  /** Asks for the renewal of the connection. */
  age(): void;
  destroy(error: TransportError): void;
}

/** The key of one connection, from the start of its dial to the end of the connection. */
export class LinkKey {
  readonly id: string;
  readonly #all: Set<LinkKey>;
  #connection: KeyedConnection | undefined;
  #isOutdated = false;
  #isRevoked = false;

  constructor(id: string, all: Set<LinkKey>) {
    this.id = id;
    this.#all = all;
    all.add(this);
  }

  /** Whether the client now connects with a different key. */
  get isOutdated(): boolean {
    return this.#isOutdated || this.#isRevoked;
  }

  /** Whether there is a connection that stays in use. */
  get isOpen(): boolean {
    return this.#connection !== undefined && !this.#isRevoked;
  }

  /** Notes the connection of a dial that has succeeded. */
  connected(connection: KeyedConnection): void {
    this.#connection = connection;
    if (this.#isRevoked) this.revoke();
  }

  /** Notes that the dial has failed, or that the connection has ended. */
  end(): void {
    this.#all.delete(this);
  }

  revoke(): void {
    this.#isRevoked = true;
    this.#connection?.destroy(keyRevoked(this.id));
  }

  notePrimary(id: string): void {
    this.#isOutdated = id !== this.id;
    if (this.#isOutdated) this.#connection?.age();
  }
}

/** The keys of the dials and the connections of one client. */
export class LinkKeys {
  readonly #warn: (message: string) => void;
  readonly #all = new Set<LinkKey>();

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  /** Notes a dial that begins. */
  begin(id: string): LinkKey {
    return new LinkKey(id, this.#all);
  }

  /** Destroys the connections of revoked keys, and renews those whose key is not the new primary one. */
  apply({ revoked, primaryChanged, primary }: KeysChange): void {
    for (const key of this.#all) if (revoked.includes(key.id)) key.revoke();
    if (!primaryChanged) return;
    if (primary === undefined) {
      const isOpen = [...this.#all].some((key) => key.isOpen);
      const consequence = isOpen ? 'open connections stay in use, but new ones fail' : 'the client cannot connect';
      this.#warn(`The keyring no longer has a primary key: ${consequence} until a key is primary again`);
      return;
    }
    for (const key of this.#all) key.notePrimary(primary);
  }
}
