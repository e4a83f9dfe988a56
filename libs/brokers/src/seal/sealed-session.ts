import type { LoggerService } from '@nestjs/common';
import { ChannelKeys, closed } from '@sealwire/channel/internal';
import type { SecretKey } from '@sealwire/crypto';

import type { RefusedMessage } from '../diagnostics.js';
import { Refusals } from './refusals.js';
import { resolveSealOptions } from './seal-options.js';
import type { SealOptions, SealSettings } from './seal-options.js';
import { Seals } from './seals.js';

export interface SessionOptions {
  /** The scheme of the transport, which begins every subject. */
  readonly scheme: string;
  readonly side: RefusedMessage['side'];
  readonly seal: SealOptions;
  readonly logger: Pick<LoggerService, 'log' | 'warn'>;
}

/** The keys and the refusals of one end, which outlive its connections. */
export class SealedSession {
  readonly refusals: Refusals;
  readonly settings: SealSettings;
  readonly scheme: string;
  readonly #keys: ChannelKeys;
  #seals: Seals | undefined;
  #closes = 0;

  /** @throws {TransportError} `ERR_BAD_OPTION` */
  constructor({ scheme, side, seal, logger }: SessionOptions) {
    this.scheme = scheme;
    this.settings = resolveSealOptions(seal);
    this.#keys = new ChannelKeys(seal, {
      warn: (message) => void logger.warn(message),
      log: (message) => void logger.log(message),
    });
    this.refusals = new Refusals(side, logger);
  }

  /**
   * Loads the keys and connects with them. The file of the keys is watched until `close`, or until `connect` fails. Rejects
   * as `start` does, and with the error of `connect`.
   */
  async open<T>(connect: (seals: Seals) => Promise<T>): Promise<T> {
    const seals = await this.start();
    try {
      return await connect(seals);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Loads the keys, unless they are loaded, and watches their file until `close`. Rejects with the `CryptoError` of the key
   * file, or with `ERR_CLIENT_CLOSED` if `close` is called meanwhile.
   */
  async start(): Promise<Seals> {
    const closes = this.#closes;
    const keys = await this.#keys.load();
    if (closes !== this.#closes) throw closed();
    const { refusals } = this;
    return (this.#seals ??= new Seals({ scheme: this.scheme, settings: this.settings, keys, refusals }));
  }

  /** The seals from `start` to `close`. @throws {TransportError} `ERR_CLIENT_CLOSED` at any other time. */
  get seals(): Seals {
    if (this.#seals === undefined) throw closed();
    return this.#seals;
  }

  /** Counts a message that its key may not send. */
  forbid(pattern: string, key: SecretKey): void {
    this.refusals.add('forbidden', `${this.scheme}:${pattern}`, key.id);
  }

  close(): void {
    this.#closes += 1;
    this.#seals = undefined;
    this.#keys.detach()();
  }
}
