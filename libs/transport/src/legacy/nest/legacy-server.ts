import type { Server as NetServer } from 'node:net';

import { Logger } from '@nestjs/common';
import { Server } from '@nestjs/microservices';
import type { CustomTransportStrategy, MessageHandler } from '@nestjs/microservices';
import { TransportError } from '@sealwire/channel';
import { formatEndpoint, ListenerSlot, toTransportError } from '@sealwire/channel/internal';
import type { Endpoint } from '@sealwire/channel/internal';

import { guardHooks } from '../../handler/processing-hooks.js';
import type { ResultSink } from '../../handler/result-sink.js';
import { FailureLog } from '../../log/failure-log.js';
import type { SealwireServerEvents, SealwireStatus } from '../../server/server-events.js';
import { LegacyListener } from '../connection/legacy-listener.js';
import type { LegacyKey } from '../wire/legacy-key.js';
import { decodeMessage } from '../wire/message.js';
import { LegacyContext } from './legacy-context.js';
import { checkNotShared, loadLegacyKey, resolveLegacyEndpoint, resolveLegacyLimits } from './legacy-options.js';
import type { LegacyLimits, LegacyServerOptions } from './legacy-options.js';
import { RunningHandlers } from './running-handlers.js';

/** The transport id of the legacy wire: `@MessagePattern('message', LEGACY)`. */
export const LEGACY = Symbol.for('@sealwire/transport/LEGACY');

const DEFAULT_PATTERN = 'message';

/**
 * Receives the messages of the original demo (docs/protocol.md §9), one for each connection, and passes them to one
 * handler as `{ text }`. Nothing is authenticated: use it only to migrate, on a separate port and with a separate key.
 *
 * @throws {TransportError} `ERR_BAD_OPTION`, from the constructor.
 */
export class LegacyServer extends Server<SealwireServerEvents, SealwireStatus> implements CustomTransportStrategy {
  override transportId: NonNullable<LegacyServerOptions['transportId']>;
  protected override readonly logger = new Logger(LegacyServer.name);
  readonly #options: LegacyServerOptions;
  readonly #limits: LegacyLimits;
  readonly #pattern: string;
  readonly #failures = new FailureLog(() => this.logger);
  readonly #handlers: RunningHandlers;
  readonly #endpoint: Endpoint;
  readonly #slot = new ListenerSlot<LegacyListener>({
    onStatusChanged: (status) => this._status$.next(status),
    onFailed: (error) => this.#failures.listenerFailed(error),
  });

  constructor(options: LegacyServerOptions) {
    super();
    this.#options = options;
    this.#endpoint = resolveLegacyEndpoint(options);
    this.#limits = resolveLegacyLimits(options);
    this.#pattern = options.pattern ?? DEFAULT_PATTERN;
    this.transportId = options.transportId ?? LEGACY;
    this.#handlers = new RunningHandlers(this.#limits.maxRunning);
  }

  /** Listens. Called by Nest. Calls the callback once, with an error if the server cannot listen or is closed first. */
  override listen(callback: (error?: unknown) => void): void {
    this.#start().then(
      () => callback(),
      (error: unknown) => callback(error),
    );
  }

  /**
   * Drops incomplete messages and waits for running handlers, except a handler that calls this method. May be called
   * again; never rejects.
   */
  override async close(): Promise<void> {
    await this.#slot.close();
    await this.#handlers.drain(this.#limits.drainTimeoutMs);
    this.#failures.flush();
  }

  override on<Event extends keyof SealwireServerEvents>(event: Event, callback: SealwireServerEvents[Event]): void {
    this.#slot.subscribe((emitter) => emitter.on(event, callback));
  }

  /**
   * Returns the listening `net.Server`.
   *
   * @throws {TransportError} `ERR_NOT_CONNECTED` - before `listen`, after it failed and after `close`.
   */
  override unwrap<T = NetServer>(): T {
    return this.#slot.server as T;
  }

  async #start(): Promise<void> {
    const warn = this.#options.warn ?? ((message: string) => this.logger.warn(message));
    let keyId = '';
    let unwatch: (() => void) | undefined;
    const create = async (): Promise<LegacyListener> => {
      const handler = this.#findHandler();
      const key = await loadLegacyKey(this.#options, warn);
      keyId = key.id;
      const listener = new LegacyListener({
        ...this.#limits,
        onMessage: (ciphertext, address) => this.#receive(key, handler, ciphertext, address),
        onFailure: (error, address) => this.#failures.legacyRefused(error, address),
      });
      unwatch = this.#options.channelKeyring?.onChange?.(() => this.#closeIfShared(key));
      listener.server.once('close', () => unwatch?.());
      return listener;
    };
    try {
      await this.#slot.listen(create, this.#endpoint);
    } catch (error) {
      unwatch?.();
      throw error;
    }
    warn(
      `The legacy wire is enabled on ${formatEndpoint(this.#endpoint)} with key ${keyId}. Nothing on it is authenticated: ` +
        'anyone who can reach the port can alter and replay messages, and the fixed IV shows which messages are equal. ' +
        'Move its clients to the channel, then switch it off',
    );
  }

  /** Called after the keyring of the channel has changed. */
  #closeIfShared(key: LegacyKey): void {
    try {
      checkNotShared(key, this.#options);
    } catch (error) {
      const { code, message } = toTransportError(error);
      this.logger.error(
        `Closing the legacy wire, because the keyring of the channel has changed: ${message} (${code})`,
      );
      void this.close();
    }
  }

  #findHandler(): MessageHandler {
    const handler = this.getHandlerByPattern(this.#pattern);
    if (handler !== null) return handler;
    throw new TransportError(
      'ERR_BAD_OPTION',
      `No handler for the pattern "${this.#pattern}": add a handler, or set the option pattern`,
    );
  }

  #receive(key: LegacyKey, handler: MessageHandler, ciphertext: Buffer, address: string | undefined): void {
    try {
      const data = decodeMessage(key, ciphertext);
      const context = new LegacyContext({ pattern: this.#pattern, address, keyId: key.id, ciphertext });
      this.#handlers.start({ handler, data, context, hooks: this.#hooks, sink: this.#sink });
    } catch (error) {
      this.#failures.legacyRefused(toTransportError(error), address);
    }
  }

  readonly #hooks = guardHooks(
    {
      areUnset: () => false,
      start: (context, done) => this.onProcessingStartHook(this.transportId, context, done),
      end: (context) => this.onProcessingEndHook?.(this.transportId, context),
    },
    this.#failures,
  );

  /** Drops results and logs errors, because the wire has no answers. */
  readonly #sink: ResultSink = {
    only: () => undefined,
    next: () => undefined,
    whenWritable: () => undefined,
    complete: () => undefined,
    error: (error) => this.#failures.eventHandlerFailed(error, this.#pattern),
  };
}
