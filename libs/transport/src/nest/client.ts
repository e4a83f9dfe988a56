import type { Socket } from 'node:net';

import { ClientProxy } from '@nestjs/microservices';
import type { ReadPacket, WritePacket } from '@nestjs/microservices';
import type { Keyring } from '@sealwire/crypto';

import type { Endpoint } from '../connection/endpoint.js';
import { TransportError } from '../errors.js';
import { EventSequence } from '../frame/event-sequence.js';
import { resolveLimits } from '../limits.js';
import type { Limits } from '../limits.js';
import { ClientCall } from './client-call.js';
import { openLink } from './client-link.js';
import type { Link } from './client-link.js';
import { createInstanceId, forgetOwnClient, noteOwnClient } from './instances.js';
import { checkTimeoutMs, keyringSource, resolveEndpoint, resolveService } from './options.js';
import type { SealwireClientOptions } from './options.js';
import { openRecord } from './record-builder.js';

/** Events of the current `net.Socket`. */
export type SealwireClientEvents = {
  error: (error: Error) => void;
  end: () => void;
  close: () => void;
  drain: () => void;
};

type State =
  | { readonly at: 'IDLE' }
  | { readonly at: 'CONNECTING'; readonly promise: Promise<Link>; readonly abort: AbortController }
  | { readonly at: 'CONNECTED'; readonly promise: Promise<Link>; readonly link: Link };

/**
 * The client side of the transport: `ClientsModule.register([{ name, customClass: SealwireClient, options }])`, or
 * `SealwireModule.register`. It connects with the first call, and again with the next call after a loss.
 *
 * @throws {TransportError} `ERR_BAD_OPTION`, from the constructor.
 */
export class SealwireClient extends ClientProxy<SealwireClientEvents> {
  readonly #options: SealwireClientOptions;
  readonly #limits: Limits;
  readonly #endpoint: Endpoint;
  readonly #service: string;
  readonly #requestTimeoutMs: number;
  readonly #loadKeyring: () => Promise<Keyring>;
  readonly #instanceId = createInstanceId();
  readonly #sequence = new EventSequence();
  /** Every connection that is not closed yet: the current one, and those that drain. */
  readonly #links = new Set<Link>();
  readonly #listeners: ((emitter: NodeJS.EventEmitter) => void)[] = [];
  #state: State = { at: 'IDLE' };

  constructor(options: SealwireClientOptions) {
    super();
    this.#options = options;
    this.#limits = resolveLimits(options);
    this.#endpoint = resolveEndpoint(options);
    this.#service = resolveService(options);
    this.#requestTimeoutMs = checkTimeoutMs('requestTimeoutMs', options.requestTimeoutMs ?? 0);
    this.#loadKeyring = keyringSource(options);
    noteOwnClient(this.#instanceId);
  }

  /**
   * Resolves when the server has proved that it holds the key; one connection, however many calls.
   * Rejects with what `dial` and the key file can fail with.
   */
  override async connect(): Promise<void> {
    await this.#connect();
  }

  /** Lets what is running finish, up to `drainTimeoutMs`. May be called again, and `connect` after it. Never rejects. */
  override async close(): Promise<void> {
    if (this.#state.at === 'CONNECTING') this.#state.abort.abort();
    this.#state = { at: 'IDLE' };
    forgetOwnClient(this.#instanceId);
    await Promise.all([...this.#links].map(({ connection }) => connection.close()));
  }

  /** Nest calls it for the clients of a module. */
  onApplicationShutdown(): Promise<void> {
    return this.close();
  }

  override on<Event extends keyof SealwireClientEvents>(event: Event, callback: SealwireClientEvents[Event]): void {
    const listen = (emitter: NodeJS.EventEmitter): void => void emitter.on(event, callback);
    this.#listeners.push(listen);
    if (this.#state.at === 'CONNECTED') listen(this.#state.link.connection.socket);
  }

  /** The current `net.Socket`. @throws {TransportError} `ERR_NOT_CONNECTED` */
  override unwrap<T = Socket>(): T {
    if (this.#state.at !== 'CONNECTED') throw new TransportError('ERR_NOT_CONNECTED', 'The client is not connected');
    return this.#state.link.connection.socket as T;
  }

  protected override publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    return this.#call(packet).request(callback);
  }

  protected override dispatchEvent<T = unknown>(packet: ReadPacket): Promise<T> {
    return this.#call(packet).event();
  }

  #call(packet: ReadPacket): ClientCall {
    const { serializer, deserializer } = this.#options;
    const pattern: unknown = this.normalizePattern(packet.pattern);
    const { packet: opened, timeoutMs = this.#requestTimeoutMs } = openRecord(packet);
    return new ClientCall({
      packet: opened,
      timeoutMs,
      pattern: typeof pattern === 'string' ? pattern : JSON.stringify(pattern),
      link: this.#state.at === 'CONNECTED' ? this.#state.link : undefined,
      serializer,
      deserializer,
    });
  }

  #connect(): Promise<Link> {
    if (this.#state.at !== 'IDLE') return this.#state.promise;
    const abort = new AbortController();
    const promise = this.#dial(abort.signal);
    this.#state = { at: 'CONNECTING', promise, abort };
    return promise;
  }

  async #dial(signal: AbortSignal): Promise<Link> {
    try {
      const link = await this.#openLink(signal);
      this.#adopt(link, signal);
      return link;
    } catch (error) {
      // In the same turn: a retry that comes at once dials anew.
      if (!signal.aborted) this.#state = { at: 'IDLE' };
      throw error;
    }
  }

  async #openLink(signal: AbortSignal): Promise<Link> {
    const { primary } = await this.#loadKeyring();
    const { maxMessageBytes, maxIncompleteBytes, connectTimeoutMs } = this.#limits;
    const announcement = {
      instanceId: this.#instanceId,
      unixMs: Date.now(),
      maxMessageBytes,
      maxInFlight: 0,
      maxIncompleteBytes,
    };
    const key = { keyId: Buffer.from(primary.idBytes), psk: Buffer.from(primary.psk()) };
    const options = {
      endpoint: this.#endpoint,
      key,
      handshake: { service: this.#service, announcement },
      connectTimeoutMs,
      signal,
    };
    return openLink(options, this.#limits, this.#sequence, {
      retired: (link) => this.#leave(link),
      closed: (link) => {
        this.#links.delete(link);
        this.#leave(link);
      },
    });
  }

  #adopt(link: Link, signal: AbortSignal): void {
    this.#links.add(link);
    if (signal.aborted) {
      void link.connection.close();
      throw new TransportError('ERR_CLIENT_CLOSED', 'The client was closed while it connected', { sent: false });
    }
    noteOwnClient(this.#instanceId);
    for (const listen of this.#listeners) listen(link.connection.socket);
    this.#state = { at: 'CONNECTED', link, promise: Promise.resolve(link) };
    this._status$.next('connected');
  }

  /** The next call dials anew. */
  #leave(link: Link): void {
    if (this.#state.at !== 'CONNECTED' || this.#state.link !== link) return;
    this.#state = { at: 'IDLE' };
    this._status$.next('disconnected');
  }
}
