import type { Server as NetServer, Socket } from 'node:net';

import { Logger } from '@nestjs/common';
import { Server } from '@nestjs/microservices';
import type { CustomTransportStrategy, MessageHandler } from '@nestjs/microservices';
import type { Keyring } from '@sealwire/crypto';

import { Connection } from '../connection/connection.js';
import type { ConnectionEvents } from '../connection/connection.js';
import { remoteAddress } from '../connection/endpoint.js';
import { Listener } from '../connection/listener.js';
import { SocketView } from '../connection/socket-view.js';
import { TransportError } from '../errors.js';
import { ServerStreams } from '../frame/server-streams.js';
import { respond } from '../handshake/index.js';
import type { Session } from '../handshake/index.js';
import { resolveLimits } from '../limits.js';
import type { Limits } from '../limits.js';
import type { SealwireContext } from './context.js';
import { Dispatcher } from './dispatcher.js';
import type { HandlerHost } from './dispatcher.js';
import { EventWindows } from './event-windows.js';
import { FailureLog } from './failure-log.js';
import { createInstanceId, isOwnClient } from './instances.js';
import { keyringSource, resolveEndpoint, resolveService } from './options.js';
import type { SealwireServerOptions } from './options.js';
import { createCodec } from './sealing.js';

/** The transport id of Sealwire: `@MessagePattern('sum', SEALWIRE)`. */
export const SEALWIRE = Symbol('SEALWIRE');

/** Events of the listening `net.Server`. */
export type SealwireServerEvents = {
  listening: () => void;
  connection: (socket: Socket) => void;
  error: (error: Error) => void;
  close: () => void;
};

export type SealwireStatus = 'connected' | 'disconnected';

/**
 * The server side of the transport: `{ strategy: new SealwireServer({ keyFile: 'aes_key.bin' }) }`.
 *
 * @throws {TransportError} `ERR_BAD_OPTION`, from the constructor.
 */
export class SealwireServer extends Server<SealwireServerEvents, SealwireStatus> implements CustomTransportStrategy {
  override transportId: NonNullable<SealwireServerOptions['transportId']>;
  protected override readonly logger = new Logger(SealwireServer.name);
  readonly #options: SealwireServerOptions;
  readonly #limits: Limits;
  readonly #service: string;
  readonly #loadKeyring: () => Promise<Keyring>;
  readonly #instanceId = createInstanceId();
  readonly #windows: EventWindows;
  readonly #failures = new FailureLog(this.logger);
  readonly #host: HandlerHost;
  readonly #listeners: ((emitter: NodeJS.EventEmitter) => void)[] = [];
  #listener: Listener | undefined;

  constructor(options: SealwireServerOptions) {
    super();
    resolveEndpoint(options);
    this.#options = options;
    this.transportId = options.transportId ?? SEALWIRE;
    this.#limits = resolveLimits(options);
    this.#service = resolveService(options);
    this.#loadKeyring = keyringSource(options);
    this.#windows = new EventWindows(this.#limits.maxInFlight);
    this.#host = this.#createHost();
  }

  /** Called by Nest. The callback is called once, with an error for every reason not to listen. */
  override listen(callback: (error?: unknown) => void): void {
    this.#start().then(
      () => callback(),
      (error: unknown) => callback(error),
    );
  }

  /** GOAWAY to everybody, then the drain, then CLOSE. May be called again; never rejects. */
  override async close(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    await listener?.close();
  }

  override on<Event extends keyof SealwireServerEvents>(event: Event, callback: SealwireServerEvents[Event]): void {
    const listen = (emitter: NodeJS.EventEmitter): void => void emitter.on(event, callback);
    this.#listeners.push(listen);
    if (this.#listener !== undefined) listen(this.#listener.server);
  }

  /** The listening `net.Server`. @throws {TransportError} `ERR_NOT_CONNECTED` - `listen` has not been called yet. */
  override unwrap<T = NetServer>(): T {
    if (this.#listener === undefined) throw new TransportError('ERR_NOT_CONNECTED', 'The server is not listening');
    return this.#listener.server as T;
  }

  async #start(): Promise<void> {
    const keyring = await this.#loadKeyring();
    const listener = this.#createListener(keyring);
    for (const listen of this.#listeners) listen(listener.server);
    listener.server.on('close', () => this._status$.next('disconnected'));
    this.#listener = listener;
    await listener.listen(resolveEndpoint(this.#options));
    listener.server.on('error', (error) => this.logger.error(error));
    this._status$.next('connected');
  }

  #createListener(keyring: Keyring): Listener {
    return new Listener({
      limits: this.#limits,
      respond: (message1) => this.#respond(keyring, message1),
      connect: (socket, session, events, confirmTimeoutMs) => this.#connect(socket, session, events, confirmTimeoutMs),
      handshakeFailed: (failure) => this.#failures.handshakeFailed(failure),
      connectionOpened: () => undefined,
      connectionClosed: (error, address) => {
        if (error !== undefined) this.#failures.connectionFailed(error, address);
      },
    });
  }

  #respond(keyring: Keyring, message1: Buffer): { message2: Buffer; session: Session } {
    const { maxMessageBytes, maxInFlight, maxIncompleteBytes } = this.#limits;
    const findPsk = (keyId: Buffer): Buffer | undefined => {
      const key = keyring.find(keyId);
      return key && Buffer.from(key.psk());
    };
    const announcement = {
      instanceId: this.#instanceId,
      unixMs: Date.now(),
      maxMessageBytes,
      maxInFlight,
      maxIncompleteBytes,
    };
    const rejectSelf = this.#options.rejectSelf === true ? { rejectSelf: isOwnClient } : {};
    return respond(findPsk, { service: this.#service, announcement, ...rejectSelf }, message1);
  }

  #connect(socket: Socket, session: Session, events: ConnectionEvents, confirmTimeoutMs: number): Connection {
    const { instanceId } = session.peer;
    const dispatcher: Dispatcher = new Dispatcher({
      host: this.#host,
      peer: { socket: new SocketView(socket), address: remoteAddress(socket), keyId: session.keyId.toString('hex') },
      window: this.#windows.of(instanceId),
      maxRunning: this.#limits.maxRunning,
      streams: () => streams,
      flush: () => connection.scheduleFlush(),
      currentRecord: () => (this.#options.keepSealedRecord === true ? connection.currentRecord : undefined),
    });
    const { maxQueuedBytes } = this.#limits;
    const streams: ServerStreams = new ServerStreams({
      own: this.#limits,
      peer: session.peer,
      maxQueuedBytes,
      handler: dispatcher,
    });
    const closed = (error: TransportError | undefined): void => {
      this.#windows.left(instanceId);
      events.closed(error);
    };
    const codec = createCodec(session, this.#limits.key);
    const options = {
      role: 'server',
      socket,
      codec,
      streams,
      limits: this.#limits,
      events: { ...events, closed },
    } as const;
    const connection: Connection = new Connection(options, confirmTimeoutMs);
    return connection;
  }

  #createHost(): HandlerHost {
    const { serializer, deserializer } = this.#options;
    return {
      serializer,
      deserializer,
      findHandler: (pattern) => this.#findHandler(pattern),
      logError: (error) => this.logger.error(error),
      hooks: {
        start: (context: SealwireContext, done) => this.onProcessingStartHook(this.transportId, context, done),
        end: (context: SealwireContext) => this.onProcessingEndHook?.(this.transportId, context),
      },
    };
  }

  /** Clients send the route, so that one look-up does; a string that spells an object pattern takes Nest's longer way. */
  #findHandler(pattern: string): MessageHandler | null {
    return this.messageHandlers.get(pattern) ?? this.getHandlerByPattern(pattern);
  }
}
