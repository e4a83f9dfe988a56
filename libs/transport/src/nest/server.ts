import { AsyncResource } from 'node:async_hooks';
import type { Server as NetServer, Socket } from 'node:net';

import { Logger } from '@nestjs/common';
import { Server } from '@nestjs/microservices';
import type { CustomTransportStrategy, MessageHandler, MsPattern } from '@nestjs/microservices';
import { wipe } from '@sealwire/crypto';
import type { Keyring } from '@sealwire/crypto';

import { Subject } from 'rxjs';
import type { Observable } from 'rxjs';

import { clock } from '../clock.js';
import type { Accepted, Reply } from '../connection/acceptance.js';
import type { Connection } from '../connection/connection.js';
import { remoteAddress } from '../connection/endpoint.js';
import type { Endpoint } from '../connection/endpoint.js';
import { Listener } from '../connection/listener.js';
import type { HandshakeFailure, ListenerEvents } from '../connection/listener.js';
import { ListenerSlot } from '../connection/listener-slot.js';
import { isError } from '../errors.js';
import { PROCESS_MEMORY } from '../frame/incomplete-memory.js';
import type { TransportError } from '../errors.js';
import { respond } from '../handshake/index.js';
import { resolveLimits } from '../limits.js';
import type { Limits } from '../limits.js';
import { runApart } from './async-context.js';
import type { HandlerHost } from './handler-host.js';
import { EventWindows } from './event-windows.js';
import { Execution } from './execution.js';
import { FailureLog } from './failure-log.js';
import type { ClientNames } from './failure-log.js';
import { HandlerPlaces } from './handler-places.js';
import { createInstanceId, forgetOwnServer, isOwnClient, noteOwnServer } from './instances.js';
import { keyringSource, resolveEndpoint, resolveService } from './options.js';
import type { SealwireServerOptions } from './options.js';
import { guardHooks } from './processing-hooks.js';
import { isUnforeseen } from './remote-error.js';
import { routeOf } from './route.js';
import { takeCodec } from './sealing.js';
import { openServerLink } from './server-link.js';
import type { ServerLink } from './server-link.js';
import { ServerDrain } from './server-drain.js';
import { WaitingBytes } from './waiting-messages.js';
import { ServerCounters } from './snapshot.js';
import type { SealwireServerSnapshot } from './snapshot.js';

/** The transport id of Sealwire: `@MessagePattern('sum', SEALWIRE)`. */
export const SEALWIRE = Symbol.for('@sealwire/transport/SEALWIRE');

/** Events of the listening `net.Server`. */
export type SealwireServerEvents = {
  listening: () => void;
  connection: (socket: Socket) => void;
  error: (error: Error) => void;
  close: () => void;
};

/** `address` is `address:port`, undefined on a Unix domain socket. */
export type ServerConnectionEvent =
  /** Whoever can reach the port can cause as many of these as he likes. */
  | { readonly type: 'refused'; readonly address: string | undefined; readonly error: TransportError }
  | ({ readonly type: 'opened' } & ClientNames)
  | ({
      readonly type: 'closed';
      /** Undefined where both sides agreed to close. */
      readonly error: TransportError | undefined;
    } & ClientNames);

export type SealwireStatus = 'connected' | 'disconnected';

/**
 * The server side of the transport: `{ strategy: new SealwireServer({ keyFile: 'aes_key.bin' }) }`.
 *
 * @throws {TransportError} `ERR_BAD_OPTION`, from the constructor.
 */
export class SealwireServer extends Server<SealwireServerEvents, SealwireStatus> implements CustomTransportStrategy {
  override transportId: NonNullable<SealwireServerOptions['transportId']>;
  protected override readonly logger = new Logger(SealwireServer.name);
  /** It calls what it is given, and does nothing else. */
  readonly #nestStartHook = this.onProcessingStartHook;
  readonly #options: SealwireServerOptions;
  readonly #limits: Limits;
  readonly #endpoint: Endpoint;
  readonly #service: string;
  readonly #loadKeyring: () => Promise<Keyring>;
  readonly #instanceId = createInstanceId();
  readonly #home = new AsyncResource('SEALWIRE_SERVER');
  readonly #windows: EventWindows;
  readonly #failures = new FailureLog(() => this.logger);
  readonly #places: HandlerPlaces;
  readonly #host: HandlerHost;
  readonly #links = new Set<ServerLink>();
  readonly #drain = new ServerDrain(() => this.logger);
  readonly #counters = new ServerCounters();
  readonly #events = new Subject<ServerConnectionEvent>();
  readonly #slot = new ListenerSlot<Listener>({
    statusChanged: (status) => this._status$.next(status),
    failed: (error) => this.#failures.listenerFailed(error),
  });

  constructor(options: SealwireServerOptions) {
    super();
    this.#options = options;
    this.#limits = resolveLimits(options, 'server');
    this.transportId = options.transportId ?? SEALWIRE;
    this.#endpoint = resolveEndpoint(options);
    this.#service = resolveService(options);
    this.#loadKeyring = keyringSource(options);
    this.#windows = new EventWindows(this.#limits.maxInFlight);
    this.#places = new HandlerPlaces(this.#limits.maxRunningTotal, this.#limits.maxRunningBytesTotal);
    this.#host = this.#createHost();
  }

  /** What happens to connections. Hot; it never completes. */
  get connectionEvents(): Observable<ServerConnectionEvent> {
    return this.#events.asObservable();
  }

  /** How the server is doing, now. */
  snapshot(): SealwireServerSnapshot {
    return this.#counters.snapshot(this.#links, {
      strangers: this.#slot.listener?.strangerCount ?? 0,
      running: this.#places.takenCount,
      runningBytes: this.#places.takenBytes,
      incompleteBytes: PROCESS_MEMORY.bytes,
    });
  }

  /** Called by Nest. The callback is called once, with an error for every reason not to listen, `close` included. */
  override listen(callback: (error?: unknown) => void): void {
    const create = async (): Promise<Listener> => this.#createListener(await this.#loadKeyring());
    this.#slot.listen(create, this.#endpoint).then(
      () => callback(),
      (error: unknown) => callback(error),
    );
  }

  /**
   * GOAWAY to everybody, then the drain, then CLOSE. May be called again; never rejects. A handler may await it: it does
   * not wait for the request of that handler, which is answered afterwards.
   */
  override async close(): Promise<void> {
    forgetOwnServer(this.#instanceId);
    this.#drain.begin(this.#links);
    const closed = this.#slot.close().then(() => this.#failures.flush());
    const { current } = Execution;
    if (current === undefined || this.#links.size === 0) await closed;
    else await Promise.race([closed, this.#drain.whenOthersAreDone(current)]);
  }

  override on<Event extends keyof SealwireServerEvents>(event: Event, callback: SealwireServerEvents[Event]): void {
    this.#slot.subscribe((emitter) => emitter.on(event, callback));
  }

  /**
   * The listening `net.Server`.
   *
   * @throws {TransportError} `ERR_NOT_CONNECTED` - before `listen`, after it failed and after `close`.
   */
  override unwrap<T = NetServer>(): T {
    return this.#slot.server as T;
  }

  /** One look-up, as clients send the route. Nest's would also find it by other texts, and a guard would see those. */
  override getHandlerByPattern(route: string): MessageHandler | null {
    return this.messageHandlers.get(route) ?? null;
  }

  protected override normalizePattern(pattern: MsPattern): string {
    return routeOf(pattern, (kept) => super.normalizePattern(kept));
  }

  #createListener(keyring: Keyring): Listener {
    noteOwnServer(this.#instanceId);
    return new Listener({
      limits: this.#limits,
      shareReadBuffer: this.#options.shareReadBuffer ?? true,
      respond: (message1) => this.#respond(keyring, message1),
      connect: (socket, accepted, events) => this.#connect(socket, accepted, events),
      handshakeFailed: (failure) => this.#refused(failure),
    });
  }

  #refused(failure: HandshakeFailure): void {
    const { address, error, receivedBytes } = failure;
    if (receivedBytes === 0) return; // a probe of the port, by a health check for example
    this.#counters.handshakeFailed();
    this.#failures.handshakeFailed(failure);
    this.#emit({ type: 'refused', address, error });
  }

  #respond(keyring: Keyring, message1: Buffer): Reply {
    const { maxMessageBytes, maxInFlight, maxIncompleteBytes } = this.#limits;
    let psk: Uint8Array | undefined;
    const findPsk = (keyId: Buffer): Uint8Array | undefined => (psk = keyring.find(keyId)?.psk());
    const announcement = { unixMs: clock.unixMs(), maxMessageBytes, maxInFlight, maxIncompleteBytes };
    const rejectSelf = this.#options.rejectSelf === true ? { rejectSelf: isOwnClient } : {};
    const options = { service: this.#service, instanceId: this.#instanceId, announcement, ...rejectSelf };
    try {
      const { message2, session, verifier } = respond(findPsk, options, message1);
      return { message2, keyId: session.keyId, codec: takeCodec(session, this.#limits.key), verifier };
    } finally {
      wipe(psk ?? new Uint8Array());
    }
  }

  #connect(socket: Socket, accepted: Accepted, events: ListenerEvents): Connection {
    const { instanceKey } = accepted;
    const address = remoteAddress(socket); // the socket forgets it when it is destroyed
    const link: ServerLink = openServerLink({
      socket,
      accepted,
      limits: this.#limits,
      host: this.#host,
      window: this.#windows.of(instanceKey),
      keepSealedRecord: this.#options.keepSealedRecord ?? false,
      events: {
        closed: (error) => {
          this.#windows.left(instanceKey);
          this.#closed(link, address, error);
          events.closed(link.connection);
        },
      },
    });
    events.opened(link.connection);
    this.#opened(link, address);
    return link.connection;
  }

  #opened(link: ServerLink, address: string | undefined): void {
    this.#links.add(link);
    this.#counters.opened();
    const { keyId, instanceId } = link;
    this.#failures.clientConnected({ address, keyId, instanceId });
    this.#emit({ type: 'opened', address, keyId, instanceId });
  }

  #closed(link: ServerLink, address: string | undefined, error: TransportError | undefined): void {
    this.#links.delete(link);
    this.#drain.left(link);
    this.#counters.left(link, error !== undefined);
    const { keyId, instanceId } = link;
    if (error === undefined) this.#failures.clientLeft({ address, keyId, instanceId });
    else this.#failures.connectionFailed(error, address);
    this.#emit({ type: 'closed', address, keyId, instanceId, error });
  }

  #emit(event: ServerConnectionEvent): void {
    runApart(this.#home, () => this.#events.next(event));
  }

  #createHost(): HandlerHost {
    const { serializer, deserializer } = this.#options;
    return {
      serializer,
      deserializer,
      places: this.#places,
      waiting: new WaitingBytes(this.#limits.maxRunningBytesTotal),
      findHandler: (route) => this.getHandlerByPattern(route),
      toRoute: (pattern) => this.normalizePattern(pattern),
      failures: this.#failures,
      overloaded: (kind, pattern) => {
        this.#counters.refused(kind);
        this.#failures.overloaded(kind, pattern);
      },
      eventFailed: (error, pattern) => this.#logEventFailure(error, pattern),
      hooks: guardHooks(
        {
          areUnset: () => this.onProcessingStartHook === this.#nestStartHook && !this.onProcessingEndHook,
          start: (context, done) => this.onProcessingStartHook(this.transportId, context, done),
          end: (context) => this.onProcessingEndHook?.(this.transportId, context),
        },
        this.#failures,
      ),
    };
  }

  /** What is an `Error` no filter of Nest has seen. Of the rest Nest 12 logs all itself, Nest 11 what is unforeseen. */
  #logEventFailure(error: unknown, pattern: string): void {
    const isLogged = 'propagatesEventHandlerErrors' in this || isUnforeseen(error);
    if (isError(error) || !isLogged) this.#failures.eventHandlerFailed(error, pattern);
  }
}
