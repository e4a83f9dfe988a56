// The one listener that a server has at a time, from `listen()` to `close()`, which may come before it listens.
import type { Server } from 'node:net';

import { TransportError } from '../errors.js';
import type { Endpoint } from '../options/endpoint.js';
import { watchDescriptors } from './descriptors.js';

export interface Listening {
  readonly server: Server;
  /** @throws {TransportError} `ERR_LISTEN_FAILED` */
  listen(endpoint: Endpoint): Promise<void>;
  /** Waits for `listen` where that is under way. Never rejects. */
  close(): Promise<void>;
}

export interface ListenerSlotOptions {
  readonly onStatusChanged: (status: 'connected' | 'disconnected') => void;
  /** An error of the server while it listens; `EMFILE` or `ENFILE` once a second for as long as it cannot accept. */
  readonly onFailed: (error: Error) => void;
}

/** One call of `listen()`, and what became of it. */
interface Lifetime<L extends Listening> {
  listener?: L;
}

export class ListenerSlot<L extends Listening> {
  readonly #options: ListenerSlotOptions;
  readonly #subscribers: ((emitter: NodeJS.EventEmitter) => void)[] = [];
  #lifetime: Lifetime<L> | undefined;
  /** Of lifetimes that are over: whoever closes again waits for them as well. */
  readonly #closing = new Set<Promise<void>>();

  constructor(options: ListenerSlotOptions) {
    this.#options = options;
  }

  get listener(): L | undefined {
    return this.#lifetime?.listener;
  }

  /** @throws {TransportError} `ERR_NOT_CONNECTED` */
  get server(): Server {
    if (this.listener === undefined) throw new TransportError('ERR_NOT_CONNECTED', 'The server is not listening');
    return this.listener.server;
  }

  /** Gives `subscribe` the server of today, and every later one. */
  subscribe(subscribe: (emitter: NodeJS.EventEmitter) => void): void {
    this.#subscribers.push(subscribe);
    if (this.listener !== undefined) subscribe(this.listener.server);
  }

  /** @throws {TransportError} `ERR_LISTEN_FAILED`, also after `close` meanwhile; and whatever `create` fails with. */
  async listen(create: () => Promise<L>, endpoint: Endpoint): Promise<void> {
    if (this.#lifetime !== undefined) throw listenFailed('The server listens already');
    const lifetime: Lifetime<L> = {};
    this.#lifetime = lifetime;
    try {
      await this.#start(lifetime, await create(), endpoint);
    } catch (error) {
      if (this.#lifetime === lifetime) this.#lifetime = undefined;
      await lifetime.listener?.close();
      this.#noteClosed(lifetime);
      throw error;
    }
    this.#options.onStatusChanged('connected');
  }

  /** Resolves when nothing of any listener is left. Never rejects. */
  async close(): Promise<void> {
    const listener = this.#lifetime?.listener;
    this.#lifetime = undefined;
    if (listener !== undefined) this.#closing.add(listener.close());
    const closing = [...this.#closing];
    await Promise.all(closing);
    for (const closed of closing) this.#closing.delete(closed);
  }

  async #start(lifetime: Lifetime<L>, listener: L, endpoint: Endpoint): Promise<void> {
    this.#checkIsCurrent(lifetime);
    lifetime.listener = listener;
    const { server } = listener;
    for (const subscribe of this.#subscribers) subscribe(server);
    server.on('close', () => this.#noteClosed(lifetime));
    await listener.listen(endpoint);
    this.#checkIsCurrent(lifetime);
    server.on('error', (error) => this.#options.onFailed(error));
    server.on(
      'close',
      watchDescriptors((error) => this.#options.onFailed(error)),
    );
  }

  #checkIsCurrent(lifetime: Lifetime<L>): void {
    if (this.#lifetime !== lifetime) throw listenFailed('The server was closed while it started');
  }

  /** An old listener may end when the next one listens already. */
  #noteClosed(lifetime: Lifetime<L>): void {
    if (this.#lifetime === undefined || this.#lifetime === lifetime) this.#options.onStatusChanged('disconnected');
  }
}

function listenFailed(message: string): TransportError {
  return new TransportError('ERR_LISTEN_FAILED', message);
}
