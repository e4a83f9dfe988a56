// The single listener of a server, from `listen()` to `close()`, which may be called before it listens.
import type { Server } from 'node:net';

import { TransportError } from '../errors.js';
import type { Endpoint } from '../options/endpoint.js';
import { watchDescriptors } from './descriptors.js';
import { startListening } from './start-listening.js';

export interface Listening {
  readonly server: Server;
  /** Ends the clients of a server that accepts no more of them. Never rejects. */
  endClients(): void | Promise<void>;
}

export interface ListenerSlotOptions {
  readonly onStatusChanged: (status: 'connected' | 'disconnected') => void;
  /** Fires on an error of the listening server; with `EMFILE` or `ENFILE` once a second while it cannot accept. */
  readonly onFailed: (error: Error) => void;
}

/** The time from one `listen()` to its `close()`. The members are set once the listener has been created. */
interface Lifetime<L extends Listening> {
  listener?: L;
  starting?: Promise<void>;
}

export class ListenerSlot<L extends Listening> {
  readonly #options: ListenerSlotOptions;
  readonly #subscribers: ((emitter: NodeJS.EventEmitter) => void)[] = [];
  #lifetime: Lifetime<L> | undefined;
  /** Closing listeners of earlier lifetimes, for which a later `close()` waits too. */
  readonly #closing = new Set<Promise<void>>();

  constructor(options: ListenerSlotOptions) {
    this.#options = options;
  }

  get listener(): L | undefined {
    return this.#lifetime?.listener;
  }

  /** @throws {TransportError} `ERR_NOT_CONNECTED` */
  get server(): Server {
    if (this.listener === undefined)
      throw new TransportError('ERR_NOT_CONNECTED', 'The server is not listening; call listen() first');
    return this.listener.server;
  }

  /** Calls `subscribe` with the current server, and with every later one. */
  subscribe(subscribe: (emitter: NodeJS.EventEmitter) => void): void {
    this.#subscribers.push(subscribe);
    if (this.listener !== undefined) subscribe(this.listener.server);
  }

  /** @throws {TransportError} `ERR_LISTEN_FAILED`, also if `close` was called meanwhile; the errors of `create`. */
  async listen(create: () => Promise<L>, endpoint: Endpoint): Promise<void> {
    if (this.#lifetime !== undefined)
      throw listenFailed('Cannot listen: the server is already listening; close it first');
    const lifetime: Lifetime<L> = {};
    this.#lifetime = lifetime;
    try {
      await this.#start(lifetime, await create(), endpoint);
    } catch (error) {
      if (this.#lifetime === lifetime) this.#lifetime = undefined;
      await endListener(lifetime);
      this.#noteClosed(lifetime);
      throw error;
    }
    this.#options.onStatusChanged('connected');
  }

  /** Resolves when all listeners have closed. Never rejects. */
  async close(): Promise<void> {
    if (this.#lifetime !== undefined) this.#closing.add(endListener(this.#lifetime));
    this.#lifetime = undefined;
    const closing = [...this.#closing];
    await Promise.all(closing);
    for (const closed of closing) this.#closing.delete(closed);
  }

  async #start(lifetime: Lifetime<L>, listener: L, endpoint: Endpoint): Promise<void> {
    lifetime.listener = listener; // set before the check, so that it is closed in any case
    this.#checkIsCurrent(lifetime);
    const { server } = listener;
    for (const subscribe of this.#subscribers) subscribe(server);
    server.on('close', () => this.#noteClosed(lifetime));
    lifetime.starting = startListening(server, endpoint);
    await lifetime.starting;
    this.#checkIsCurrent(lifetime);
    server.on('error', (error) => this.#options.onFailed(error));
    server.on(
      'close',
      watchDescriptors((error) => this.#options.onFailed(error)),
    );
  }

  #checkIsCurrent(lifetime: Lifetime<L>): void {
    if (this.#lifetime !== lifetime) throw listenFailed('Cannot listen: the server was closed while it was starting');
  }

  /** Reports the new status, unless a later listener already listens. */
  #noteClosed(lifetime: Lifetime<L>): void {
    if (this.#lifetime === undefined || this.#lifetime === lifetime) this.#options.onStatusChanged('disconnected');
  }
}

async function endListener({ listener, starting }: Lifetime<Listening>): Promise<void> {
  await starting?.catch(() => undefined); // closing during the bind would have no effect
  if (listener === undefined) return;
  const { server } = listener;
  const closed = server.listening && new Promise<void>((resolve) => server.close(() => resolve()));
  await listener.endClients();
  await closed;
}

function listenFailed(message: string): TransportError {
  return new TransportError('ERR_LISTEN_FAILED', message);
}
