import type { ServerStream, StreamHandler } from '@sealwire/channel';

import type { Execution } from '../handler/execution.js';
import { Dispatcher } from './dispatcher.js';
import type { DispatcherOptions } from './handler-host.js';

/** The dispatcher of a connection, made by its first message: most connections are idle, and hold none. */
export class LazyDispatcher implements StreamHandler {
  readonly #options: DispatcherOptions;
  #dispatcher: Dispatcher | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  begun(stream: ServerStream, timeoutMs: number): void {
    this.#inUse.begun(stream, timeoutMs);
  }

  request(stream: ServerStream, message: Buffer): void {
    this.#inUse.request(stream, message);
  }

  event(stream: ServerStream, message: Buffer): void {
    this.#inUse.event(stream, message);
  }

  noMemory(stream: ServerStream, begun: Buffer): void {
    this.#inUse.noMemory(stream, begun);
  }

  shutDown(stream: ServerStream, begun: Buffer | undefined): void {
    this.#inUse.shutDown(stream, begun);
  }

  cancelled(stream: ServerStream): void {
    this.#dispatcher?.cancelled(stream);
  }

  /** A handler that still runs keeps its place in the limits of the connection, and with it the dispatcher. */
  rest(): void {
    if (this.#dispatcher?.isIdle === true) this.#dispatcher = undefined;
  }

  /** Patterns of the requests whose handlers run. */
  get runningRequests(): readonly string[] {
    return this.#dispatcher?.runningRequests ?? [];
  }

  /** As {@link Dispatcher.runsOnly}. */
  runsOnly(executions: ReadonlySet<Execution>): boolean {
    return this.#dispatcher?.runsOnly(executions) ?? false;
  }

  /** As {@link Dispatcher.endSeries}. */
  endSeries(): void {
    this.#dispatcher?.endSeries();
  }

  get #inUse(): Dispatcher {
    return (this.#dispatcher ??= new Dispatcher(this.#options));
  }
}
