import { AsyncResource } from 'node:async_hooks';
import type { Server as NetServer } from 'node:net';

import { Logger } from '@nestjs/common';
import { Server } from '@nestjs/microservices';
import type { CustomTransportStrategy, MessageHandler, MsPattern } from '@nestjs/microservices';
import { ChannelServer } from '@sealwire/channel';
import type { KeyLimits, ServerLink, TransportError } from '@sealwire/channel';
import {
  ChannelKeys,
  RunningInServer,
  isError,
  PROCESS_MEMORY,
  publishCallForbidden,
  resolveEndpoint,
  resolveService,
} from '@sealwire/channel/internal';
import type { HandshakeFailure, Session } from '@sealwire/channel/internal';
import { Subject } from 'rxjs';
import type { Observable } from 'rxjs';

import { runApart } from '../async-context.js';
import { publishCallOverloaded } from '../diagnostics.js';
import { isKeyRefusal } from '../guard/key-refusal.js';
import { namesOf } from '../handler/context.js';
import type { SealwirePeer } from '../handler/context.js';
import { Execution } from '../handler/execution.js';
import { guardHooks } from '../handler/processing-hooks.js';
import type { SealwireLimits } from '../handler-limits.js';
import { FailureLog } from '../log/failure-log.js';
import { resolveOptions } from '../options.js';
import type { SealwireServerOptions } from '../options.js';
import { isUnforeseen } from '../packet/remote-error.js';
import { routeOf } from '../packet/route.js';
import { createSealingCodec } from '../packet/sealing-codec.js';
import type { SealingCodec } from '../packet/sealing-codec.js';
import { WaitingBytes } from '../packet/waiting-messages.js';
import { ServerCounters } from '../snapshot.js';
import type { SealwireServerSnapshot } from '../snapshot.js';
import type { HandlerHost } from './handler-host.js';
import { LazyDispatcher } from './lazy-dispatcher.js';
import { ServerDrain } from './server-drain.js';
import type { SealwireServerEvents, SealwireStatus, ServerConnectionEvent } from './server-events.js';

/** The transport id of Sealwire: `@MessagePattern('sum', SEALWIRE)`. */
export const SEALWIRE = Symbol.for('@sealwire/transport/SEALWIRE');

/**
 * The server side of the transport: `{ strategy: new SealwireServer({ keyFile: 'aes_key.bin' }) }`.
 *
 * @throws {TransportError} `ERR_BAD_OPTION`, from the constructor.
 */
export class SealwireServer extends Server<SealwireServerEvents, SealwireStatus> implements CustomTransportStrategy {
  override transportId: NonNullable<SealwireServerOptions['transportId']>;
  protected override readonly logger = new Logger(SealwireServer.name);
  /** Nest's default hook, which only calls its callback. */
  readonly #nestStartHook = this.onProcessingStartHook;
  readonly #options: SealwireServerOptions;
  readonly #limits: SealwireLimits;
  readonly #home = new AsyncResource('SEALWIRE_SERVER');
  readonly #failures = new FailureLog(() => this.logger);
  readonly #runningInServer: RunningInServer;
  readonly #channel: ChannelServer<LazyDispatcher>;
  readonly #drain = new ServerDrain(() => this.logger);
  readonly #counters = new ServerCounters();
  readonly #events = new Subject<ServerConnectionEvent>();

  constructor(options: SealwireServerOptions) {
    super();
    this.#options = options;
    this.#limits = resolveOptions(options, 'server');
    this.transportId = options.transportId ?? SEALWIRE;
    this.#runningInServer = new RunningInServer(this.#limits.maxRunningTotal, this.#limits.maxRunningBytesTotal);
    this.#channel = this.#createChannel();
  }

  /** The events of connections. The observable is hot and never completes. */
  get connectionEvents(): Observable<ServerConnectionEvent> {
    return this.#events.asObservable();
  }

  /** Returns the current state and the counters of the server. */
  snapshot(): SealwireServerSnapshot {
    return this.#counters.snapshot(this.#channel.links, {
      strangers: this.#channel.strangerCount,
      running: this.#runningInServer.takenCount,
      runningBytes: this.#runningInServer.takenBytes,
      incompleteBytes: PROCESS_MEMORY.bytes,
      keys: this.#channel.keys,
    });
  }

  /** Listens. Called by Nest. Calls the callback once, with an error if the server cannot listen or is closed first. */
  override listen(callback: (error?: unknown) => void): void {
    this.#channel.listen().then(
      () => callback(),
      (error: unknown) => callback(error),
    );
  }

  /**
   * Sends GOAWAY to all clients, drains, then sends CLOSE. May be called again; never rejects. A handler may await it: its
   * own request is not waited for, and is answered afterwards.
   */
  override async close(): Promise<void> {
    this.#drain.begin(this.#channel.links);
    const closed = this.#channel.close().then(() => this.#failures.flush());
    const { current } = Execution;
    if (current === undefined || this.#channel.links.size === 0) await closed;
    else await Promise.race([closed, this.#drain.whenOthersAreDone(current)]);
  }

  override on<Event extends keyof SealwireServerEvents>(event: Event, callback: SealwireServerEvents[Event]): void {
    this.#channel.subscribe((emitter) => emitter.on(event, callback));
  }

  /**
   * Returns the listening `net.Server`.
   *
   * @throws {TransportError} `ERR_NOT_CONNECTED` - before `listen`, after it failed and after `close`.
   */
  override unwrap<T = NetServer>(): T {
    return this.#channel.server as T;
  }

  /** Looks the handler up by its route only. Nest's look-up also accepts other spellings, which a guard would then see. */
  override getHandlerByPattern(route: string): MessageHandler | null {
    return this.messageHandlers.get(route) ?? null;
  }

  protected override normalizePattern(pattern: MsPattern): string {
    return routeOf(pattern, (kept) => super.normalizePattern(kept));
  }

  /**
   * Returns the codec that seals and opens the records of a connection. A subclass may return another codec; its
   * clients then need the counterpart.
   */
  protected createCodec(session: Session, limits: KeyLimits): SealingCodec {
    return createSealingCodec(session, limits);
  }

  #createChannel(): ChannelServer<LazyDispatcher> {
    const { rejectSelf = false, shareReadBuffer = true, keepSealedRecord = false } = this.#options;
    const limits = this.#limits;
    const shared = { host: this.#createHost(), limits };
    return new ChannelServer({
      endpoint: resolveEndpoint(this.#options),
      service: resolveService(this.#options),
      limits,
      keys: new ChannelKeys(this.#options, {
        warn: (message) => this.logger.warn(message),
        log: (message) => this.logger.log(message),
      }),
      createCodec: (session, keyLimits) => this.createCodec(session, keyLimits),
      createHandler: (peer, window) => new LazyDispatcher(shared, peer, window),
      rejectSelf,
      shareReadBuffer,
      keepSealedRecord,
      events: {
        onStatusChanged: (status) => this._status$.next(status),
        onFailed: (error) => this.#failures.listenerFailed(error),
        onRefused: (failure) => this.#refused(failure),
        onOpened: (link) => this.#opened(link),
        onClosed: (link, error) => this.#closed(link, error),
      },
    });
  }

  #refused(failure: HandshakeFailure): void {
    this.#counters.handshakeFailed();
    this.#failures.handshakeFailed(failure);
    this.#emit({ type: 'refused', address: failure.address, error: failure.error });
  }

  #opened(link: ServerLink<LazyDispatcher>): void {
    this.#counters.opened();
    this.#failures.clientConnected(link.peer);
    this.#emit({ type: 'opened', ...namesOf(link.peer) });
  }

  #closed(link: ServerLink<LazyDispatcher>, error: TransportError | undefined): void {
    this.#drain.linkClosed(link);
    this.#counters.closed(link, error !== undefined);
    if (error === undefined) this.#failures.clientLeft(link.peer);
    else this.#failures.connectionFailed(error, link.peer);
    this.#emit({ type: 'closed', ...namesOf(link.peer), error });
  }

  #emit(event: ServerConnectionEvent): void {
    runApart(this.#home, () => this.#events.next(event));
  }

  #createHost(): HandlerHost {
    const { serializer, deserializer } = this.#options;
    return {
      serializer,
      deserializer,
      runningInServer: this.#runningInServer,
      waiting: new WaitingBytes(this.#limits.maxRunningBytesTotal),
      findHandler: (route) => this.getHandlerByPattern(route),
      toRoute: (pattern) => this.normalizePattern(pattern),
      failures: this.#failures,
      onOverloaded: (kind, pattern) => {
        this.#counters.refused(kind);
        this.#failures.overloaded(kind, pattern);
        publishCallOverloaded(kind, pattern);
      },
      onForbidden: (kind, pattern, peer) => this.#forbidden(kind, pattern, peer),
      onEventFailed: (error, pattern) => this.#logEventFailure(error, pattern),
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

  #forbidden(kind: 'request' | 'event', pattern: string, peer: SealwirePeer): void {
    this.#counters.forbidden(kind);
    this.#failures.forbidden(kind, pattern, peer);
    publishCallForbidden(peer, kind, pattern);
  }

  /**
   * Logs an `Error`, which no Nest filter has seen. Other failures are logged by Nest: all by 12, unforeseen ones by
   * 11.
   */
  #logEventFailure(error: unknown, pattern: string): void {
    if (isKeyRefusal(error)) {
      this.#forbidden('event', pattern, error.peer);
      return;
    }
    const isLogged = 'propagatesEventHandlerErrors' in this || isUnforeseen(error);
    if (isError(error) || !isLogged) this.#failures.eventHandlerFailed(error, pattern);
  }
}
