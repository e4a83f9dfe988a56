import type { Socket } from 'node:net';

import { Logger } from '@nestjs/common';
import { ClientProxy } from '@nestjs/microservices';
import type { ReadPacket, WritePacket } from '@nestjs/microservices';
import { TransportError } from '@sealwire/channel';
import type { ClientConnectionEvent, ClientStream, KeyLimits } from '@sealwire/channel';
import { clock, Dialer, forgetOwnClient, noteOwnClient, Pool } from '@sealwire/channel/internal';
import type { Links, Session } from '@sealwire/channel/internal';
import { lastValueFrom, Observable, Subject } from 'rxjs';

import { CallTrace } from '../diagnostics.js';
import { everySecond } from '../every-second.js';
import type { SealwireLimits } from '../handler-limits.js';
import { ClientLog } from '../log/client-log.js';
import { resolveOptions } from '../options.js';
import type { SealwireClientOptions } from '../options.js';
import { isNil } from '../packet/packet.js';
import type { Pattern, Untyped } from '../packet/packet.js';
import { routeOf } from '../packet/route.js';
import { createSealingCodec } from '../packet/sealing-codec.js';
import type { SealingCodec } from '../packet/sealing-codec.js';
import { ClientCounters } from '../snapshot.js';
import type { SealwireClientSnapshot } from '../snapshot.js';
import { ClientCalls } from './client-calls.js';
import type { BegunCall } from './client-calls.js';
import { ClientEvents, statusAfter } from './client-events.js';
import type { SealwireClientEvents } from './client-events.js';
import { ConnectionGate } from './connection-gate.js';
import { pingServers } from './ping.js';

/**
 * The client side of the transport: `ClientsModule.register([{ name, customClass: SealwireClient, options }])`, or
 * `SealwireModule.register`. It connects with the first call. After a loss it connects again with the next call, or
 * automatically if `redial` is set.
 *
 * @throws {TransportError} `ERR_BAD_OPTION`, from the constructor.
 */
export class SealwireClient extends ClientProxy<SealwireClientEvents> {
  readonly #options: SealwireClientOptions;
  readonly #limits: SealwireLimits;
  readonly #dialer: Dialer;
  readonly #links: Links;
  readonly #gate: ConnectionGate;
  readonly #calls: ClientCalls;
  readonly #toRoute = (pattern: Pattern): string => routeOf(pattern, (kept) => this.normalizePattern(kept));
  readonly #counters = new ClientCounters();
  readonly #log: ClientLog;
  readonly #events = new ClientEvents((event) => this.#follow(event));
  readonly #listeners: ((emitter: NodeJS.EventEmitter) => void)[] = [];

  constructor(options: SealwireClientOptions) {
    super();
    this.#options = options;
    this.#limits = resolveOptions(options, 'client');
    const logger = new Logger(SealwireClient.name);
    this.#dialer = new Dialer(options, {
      limits: this.#limits,
      createCodec: (...session) => this.createCodec(...session),
      warn: (message) => logger.warn(message),
      log: (message) => logger.log(message),
    });
    this.#log = new ClientLog(logger, () => this.#links.counts().servers.map(({ server }) => server));
    this.#links = new Pool({
      servers: this.#dialer.servers,
      open: (...dial) => this.#dialer.open(...dial),
      limits: this.#limits,
      kept: this.#dialer.sequences,
      emit: (event) => this.#events.emit(event),
      onOpened: ({ connection }) => {
        for (const listen of this.#listeners) listen(connection.socket);
      },
    });
    this.#gate = new ConnectionGate(this.#links, (kind, signal) => this.connect(signal, kind));
    this.#calls = new ClientCalls(options, this.#limits, this.#links, this.#toRoute, (error, pattern) => {
      this.#log.eventLost(error, pattern);
      this.#events.emit({ type: 'eventFailed', pattern, error });
    });
    noteOwnClient(this.#dialer.instance.publicKey);
  }

  /** Returns the codec of a connection to `_server`. The server needs its counterpart. */
  protected createCodec(session: Session, limits: KeyLimits, _server?: string): SealingCodec {
    return createSealingCodec(session, limits);
  }

  /**
   * Changes of the connection, in more detail than the two values of `status`. The observable is hot and never
   * completes.
   */
  get connectionEvents(): Observable<ClientConnectionEvent> {
    return this.#events.subject.asObservable();
  }

  /**
   * Connects, unless the client is connected. Resolves when the server has proved that it has the key. Concurrent calls
   * share one connection. Calls await this method while there is no connection.
   *
   * @param signal - Ends the wait of `timeouts.waitForConnectionMs`; the promise rejects with its reason.
   * @param kind - The kind of the call that waits. An event waits for the one server that gets the events of this
   * client.
   * @throws {TransportError | CryptoError} The reason why the connection, its handshake, or reading the key failed.
   */
  override async connect(signal?: AbortSignal, kind: ClientStream['kind'] = 'REQUEST'): Promise<void> {
    await this.#links.connect(kind, signal);
  }

  /**
   * Waits at most `timeouts.drainMs` for running calls, and for events that wait for a connection. Answers with several
   * values, which may never end, fail immediately with `ERR_CLIENT_CLOSED`; calls that are still being serialized fail
   * at the end of the wait. May be called again, and `connect` after it. Never rejects.
   */
  override async close(): Promise<void> {
    forgetOwnClient(this.#dialer.instance.publicKey);
    this.#gate.refuseRequests();
    this.#calls.close();
    const stopLogging = everySecond(() => this.#log.closing(this.snapshot()));
    const endMs = clock.nowMs() + this.#limits.drainMs;
    const { whenEventsStarted } = this.#gate;
    if (whenEventsStarted !== undefined || this.#calls.whenStarted !== undefined) {
      this.#links.endSeries();
      await this.#calls.handOver(this.#limits.drainMs, whenEventsStarted);
    }
    const closed = this.#links.close(Math.max(0, endMs - clock.nowMs()));
    this.#links.endSeries();
    await closed;
    if (this.#links.counts().state === 'idle') this.#dialer.close();
    stopLogging();
    this.#log.flush();
  }

  /** Closes the client. Called by Nest for the clients of a module. */
  onApplicationShutdown(): Promise<void> {
    return this.close();
  }

  /**
   * Pings every connected server over the encrypted connection. Connects first if there is no connection.
   *
   * @returns The round trip in milliseconds of the first answer.
   * @throws {TransportError} An error of `connect`, or the reason why the connection ended before the answer.
   */
  async ping(): Promise<number> {
    return pingServers(this.#links);
  }

  /** Returns the current state and the counters of the client. */
  snapshot(): SealwireClientSnapshot {
    return this.#counters.snapshot(this.#links.counts(), this.#calls, this.#dialer.keys);
  }

  override on<Event extends keyof SealwireClientEvents>(event: Event, callback: SealwireClientEvents[Event]): void {
    const listen = (emitter: NodeJS.EventEmitter): void => void emitter.on(event, callback);
    this.#listeners.push(listen);
    for (const { connection } of this.#links.all) listen(connection.socket);
  }

  /** Returns the `net.Socket` of an open connection. @throws {TransportError} `ERR_NOT_CONNECTED` */
  override unwrap<T = Socket>(): T {
    const link = this.#links.open;
    if (link === undefined)
      throw new TransportError('ERR_NOT_CONNECTED', 'The client is not connected; call connect() first');
    return link.connection.socket as T;
  }

  /**
   * Sends a request as Nest's `send` does, but a call on an open connection needs no extra promise or observable. The
   * deadline covers the wait for a connection, and unsubscribing ends the wait.
   */
  override send<TResult = Untyped, TInput = Untyped>(pattern: Pattern, data: TInput): Observable<TResult> {
    if (isNil(pattern) || isNil(data)) return super.send(pattern, data); // Nest's own exception
    return new Observable<TResult>((subscriber) => {
      const observer = this.createObserver<TResult>(subscriber);
      const trace = CallTrace.start('client', 'request', pattern, this.#toRoute);
      if (trace !== undefined) subscriber.add(() => trace.cancel());
      if (this.#gate.isOpenFor('REQUEST')) return this.#publish(pattern, data, observer, trace && { trace });
      const timeoutMs = this.#calls.timeoutMsOf({ pattern, data });
      const start = (leftMs: number | undefined): (() => void) =>
        this.#publish(pattern, data, observer, { leftMs, trace });
      return this.#gate.runRequest({ timeoutMs, trace, start }, subscriber);
    });
  }

  /** Sends an event as Nest's `emit` does: immediately and once, whatever the number of subscribers. */
  override emit<TResult = Untyped, TInput = Untyped>(pattern: Pattern, data: TInput): Observable<TResult> {
    const result = new Subject<TResult>();
    const trace = CallTrace.start('client', 'event', pattern, this.#toRoute);
    this.#dispatch<TResult>(pattern, data, trace).then(
      (value) => {
        trace?.end();
        result.next(value);
        result.complete();
      },
      (error: unknown) => {
        trace?.fail(error);
        if (!result.observed) this.#log.eventLost(error, pattern);
        this.#events.emit({ type: 'eventFailed', pattern, error });
        result.error(error);
      },
    );
    return result.asObservable();
  }

  protected override publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    // Nest's own serializers distinguish requests from events by the id, which only requests have.
    if (this.#options.serializer !== undefined) this.assignPacketId(packet);
    return this.#calls.request(packet, callback);
  }

  protected override dispatchEvent<T = unknown>(packet: ReadPacket): Promise<T> {
    return this.#calls.event<T>(packet);
  }

  #publish(pattern: Pattern, data: unknown, callback: (packet: WritePacket) => void, begun?: BegunCall): () => void {
    try {
      return this.publish(this.#packet(pattern, data, begun), callback);
    } catch (error) {
      begun?.trace?.fail(error);
      throw error;
    }
  }

  #dispatch<T>(pattern: Pattern, data: unknown, trace: CallTrace | undefined): Promise<T> {
    if (isNil(pattern) || isNil(data)) return lastValueFrom(super.emit<T>(pattern, data)); // Nest's own exception
    return this.#gate.runEvent({
      readTimeoutMs: () => this.#calls.timeoutMsOf({ pattern, data }),
      start: (leftMs) => {
        const isPlain = leftMs === undefined && trace === undefined;
        return this.dispatchEvent<T>(this.#packet(pattern, data, isPlain ? undefined : { leftMs, trace }));
      },
    });
  }

  /** Creates the packet by Nest 12's `createPacket`, which calls a dispatch hook; Nest 11 has neither. */
  #packet(pattern: Pattern, data: unknown, begun: BegunCall | undefined): ReadPacket {
    const packet = 'createPacket' in this ? this.createPacket(pattern, data) : { pattern, data };
    if (begun !== undefined) this.#calls.begin(packet, begun);
    return packet;
  }

  /** Handles an event before the listeners of users get it. */
  #follow(event: ClientConnectionEvent): void {
    this.#counters.note(event);
    const status = statusAfter(event);
    if (status === 'connected') noteOwnClient(this.#dialer.instance.publicKey);
    const isKept = status === 'disconnected' && this.#links.open !== undefined; // by another connection
    if (status !== undefined && !isKept) this._status$.next(status);
    this.#log.note(event);
  }
}
