import { WatchedKeyFile } from '@sealwire/crypto';
import type { KeyFilePolicy, KeysChange, KeySource, KeysStatus } from '@sealwire/crypto';
import { guarded } from '@sealwire/crypto/internal';

import { TransportError } from '../errors.js';
import { watchKeys } from './key-source-check.js';

/** The options that name the keys. Exactly one of `keyring` and `keyFile` must be given. */
export interface KeyOptions {
  readonly keyring?: KeySource;
  readonly keyFile?: string;
  readonly keyPolicy?: KeyFilePolicy;
}

export interface KeyEvents {
  /** Receives warnings about a usable key file, and the reason why a changed one was not loaded. */
  readonly warn: (message: string) => void;
  /** Receives a line for the log after keys were loaded from a key file. */
  readonly log?: (message: string) => void;
  /** Fires after the loaded keys have changed. */
  readonly onChanged?: (change: KeysChange, keys: KeySource) => void;
}

/** The keys of one end: its keyring, or its key file, which is watched from the first `load` until it is detached. */
export class ChannelKeys {
  readonly #options: KeyOptions;
  readonly #events: KeyEvents;
  #use: KeyUse | undefined;

  /** @throws {TransportError} `ERR_BAD_OPTION` */
  constructor(options: KeyOptions, events: KeyEvents) {
    if ((options.keyring === undefined) === (options.keyFile === undefined)) {
      const given = options.keyFile === undefined ? 'neither is' : 'both are';
      throw new TransportError('ERR_BAD_OPTION', `Exactly one of keyFile and keyring must be given, but ${given}`);
    }
    this.#options = options;
    this.#events = events;
  }

  /** The current keys; undefined before the key file is loaded, and if a source of the user has no status. */
  get status(): KeysStatus | undefined {
    return (this.#use?.source ?? this.#options.keyring)?.status;
  }

  /** Rejects with the `CryptoError` of the key file. The next call reads it again after a failure. */
  load(): Promise<KeySource> {
    if (this.#use === undefined) {
      const use = (this.#use = new KeyUse(this.#options, this.#events));
      use.loading.catch(() => {
        if (this.#use === use) this.#use = undefined;
      });
    }
    return this.#use.loading;
  }

  /**
   * Lets the next `load` load the keys again.
   *
   * @returns A function that ends the watch of the current keys.
   */
  detach(): () => void {
    const use = this.#use;
    this.#use = undefined;
    return () => use?.end();
  }
}

/** The keys from a `load` to their end, which may come while they are loaded. */
class KeyUse {
  readonly loading: Promise<KeySource>;
  source: KeySource | undefined;
  readonly #events: KeyEvents;
  /** Ends the watch and the subscription. */
  readonly #ends: (() => void)[] = [];
  #isOver = false;

  constructor(options: KeyOptions, events: KeyEvents) {
    this.#events = events;
    this.loading = this.#load(options);
  }

  end(): void {
    this.#isOver = true;
    for (const end of this.#ends.splice(0)) end();
  }

  async #load({ keyring, keyFile = '', keyPolicy: policy }: KeyOptions): Promise<KeySource> {
    if (keyring !== undefined) return this.#adopt(keyring);
    const { warn, log } = this.#events;
    const file = await WatchedKeyFile.open(keyFile, { policy, warn, log });
    this.#ends.push(() => file.close());
    return this.#adopt(file);
  }

  #adopt(source: KeySource): KeySource {
    const { onChanged } = this.#events;
    if (onChanged !== undefined) {
      const changed = guarded('The callback onChanged()', (change: KeysChange) => onChanged(change, source));
      this.#ends.push(watchKeys(source, changed));
    }
    this.source = source;
    if (this.#isOver) this.end();
    return source;
  }
}
