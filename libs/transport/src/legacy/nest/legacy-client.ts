import { Logger } from '@nestjs/common';
import { ClientProxy } from '@nestjs/microservices';
import type { ReadPacket, WritePacket } from '@nestjs/microservices';
import { TransportError } from '@sealwire/channel';
import { formatEndpoint } from '@sealwire/channel/internal';
import type { Endpoint } from '@sealwire/channel/internal';

import { deliver } from '../connection/deliver.js';
import type { LegacyKey } from '../wire/legacy-key.js';
import { encodeMessage } from '../wire/message.js';
import { checkNotShared, loadLegacyKey, resolveLegacyEndpoint, resolveLegacyLimits } from './legacy-options.js';
import type { LegacyLimits, LegacyOptions } from './legacy-options.js';

/**
 * Sends to a server of the original demo (docs/protocol.md §9), over one connection for each message. The pattern is not
 * sent; the data is a text, `{ text }` or bytes. `send` and `emit` complete without a value once the FIN has been
 * passed to the operating system: the wire neither acknowledges a message nor authenticates the server.
 *
 * @throws {TransportError} `ERR_BAD_OPTION`, from the constructor.
 */
export class LegacyClient extends ClientProxy<never> {
  readonly #options: LegacyOptions;
  readonly #endpoint: Endpoint;
  readonly #limits: LegacyLimits;
  readonly #logger = new Logger(LegacyClient.name);
  readonly #sending = new Set<Promise<void>>();
  #key: Promise<LegacyKey> | undefined;

  constructor(options: LegacyOptions) {
    super();
    this.#options = options;
    this.#endpoint = resolveLegacyEndpoint(options);
    this.#limits = resolveLegacyLimits(options);
  }

  /** Reads the key file, once. Rejects with `ERR_LEGACY_KEY_SHARED` or an `ERR_KEY_FILE_…`. */
  override async connect(): Promise<void> {
    await this.#loadKey();
  }

  /** Waits for the messages in progress, at most `connectionTimeoutMs`. May be called again. Never rejects. */
  override async close(): Promise<void> {
    await Promise.allSettled(this.#sending);
  }

  /** Closes the client. Called by Nest for the clients of a module. */
  onApplicationShutdown(): Promise<void> {
    return this.close();
  }

  /** @throws {TransportError} `ERR_NOT_CONNECTED` - always, because no connection outlives its message. */
  override unwrap<T>(): T {
    throw new TransportError(
      'ERR_NOT_CONNECTED',
      'A legacy client has no permanent connection: it opens one for each message',
    );
  }

  protected override publish({ data }: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const abort = new AbortController();
    this.#send(data, abort.signal).then(
      () => callback({ isDisposed: true }),
      (err: unknown) => callback({ err, isDisposed: true }),
    );
    return () => abort.abort();
  }

  /** Sends an event. It has no result; the type is Nest's. */
  protected override dispatchEvent<T>({ data }: ReadPacket): Promise<T> {
    return this.#send(data, new AbortController().signal) as Promise<T>;
  }

  async #send(content: unknown, signal: AbortSignal): Promise<void> {
    const { maxConnections, connectionTimeoutMs } = this.#limits;
    const key = await this.#loadKey();
    checkNotShared(key, this.#options); // the keyring of the channel may have changed
    const ciphertext = encodeMessage(key, content);
    if (this.#sending.size >= maxConnections) {
      throw new TransportError(
        'ERR_QUEUE_FULL',
        `Too many concurrent messages: ${maxConnections} are being sent (maxConnections)`,
        { sent: false },
      );
    }
    const sending = deliver({ endpoint: this.#endpoint, ciphertext, connectionTimeoutMs, signal });
    this.#sending.add(sending);
    await sending.finally(() => this.#sending.delete(sending));
  }

  #loadKey(): Promise<LegacyKey> {
    this.#key ??= this.#readKey().catch((error: unknown) => {
      this.#key = undefined;
      throw error;
    });
    return this.#key;
  }

  async #readKey(): Promise<LegacyKey> {
    const warn = this.#options.warn ?? ((message: string) => this.#logger.warn(message));
    const key = await loadLegacyKey(this.#options, warn);
    warn(
      `The legacy wire to ${formatEndpoint(this.#endpoint)} is not authenticated: anyone on the network path can alter ` +
        'messages, replay them, see which are equal, and pose as the server',
    );
    return key;
  }
}
