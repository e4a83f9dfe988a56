import type { ServerStream, StreamHandler } from '@sealwire/channel';
import type { EventWindow, Peer } from '@sealwire/channel/internal';

import type { Execution } from '../handler/execution.js';
import { Dispatcher } from './dispatcher.js';
import type { DispatcherOptions } from './handler-host.js';

type SharedOptions = Pick<DispatcherOptions, 'host' | 'limits'>;

/** The dispatcher of a connection, created for its first message. Idle connections, which are most, have none. */
export class LazyDispatcher implements StreamHandler {
  readonly #shared: SharedOptions;
  readonly #peer: Peer;
  readonly #window: EventWindow;
  #dispatcher: Dispatcher | undefined;

  /** @param shared - One object for all connections of the server. */
  constructor(shared: SharedOptions, peer: Peer, window: EventWindow) {
    this.#shared = shared;
    this.#peer = peer;
    this.#window = window;
  }

  onRequestBegun(stream: ServerStream, timeoutMs: number): void {
    this.#inUse.onRequestBegun(stream, timeoutMs);
  }

  onRequest(stream: ServerStream, message: Buffer): void {
    this.#inUse.onRequest(stream, message);
  }

  onEvent(stream: ServerStream, message: Buffer): void {
    this.#inUse.onEvent(stream, message);
  }

  onNoMemory(stream: ServerStream, begun: Buffer): void {
    this.#inUse.onNoMemory(stream, begun);
  }

  onShutDown(stream: ServerStream, begun: Buffer | undefined): void {
    this.#inUse.onShutDown(stream, begun);
  }

  onCancelled(stream: ServerStream): void {
    this.#dispatcher?.onCancelled(stream);
  }

  /** Drops an idle dispatcher. One with a running handler is kept, because it counts the places of the connection. */
  onIdle(): void {
    if (this.#dispatcher?.isIdle === true) this.#dispatcher = undefined;
  }

  /** The patterns of the requests whose handlers run. */
  get runningRequests(): readonly string[] {
    return this.#dispatcher?.runningRequests ?? [];
  }

  /** Returns the result of {@link Dispatcher.runsOnly}. */
  runsOnly(executions: ReadonlySet<Execution>): boolean {
    return this.#dispatcher?.runsOnly(executions) ?? false;
  }

  /** Ends series as {@link Dispatcher.endSeries} does. */
  endSeries(): void {
    this.#dispatcher?.endSeries();
  }

  get #inUse(): Dispatcher {
    return (this.#dispatcher ??= new Dispatcher({ ...this.#shared, peer: this.#peer, window: this.#window }));
  }
}
