import type { MessageHandler } from '@nestjs/microservices';
import { isObservable } from 'rxjs';
import type { Observable, Subscription } from 'rxjs';

import type { SealwireContext } from './context.js';

/** Nest's processing hooks of one server; both exist in Nest 11 and 12. */
export interface ProcessingHooks {
  readonly start: (context: SealwireContext, done: () => Promise<void>) => void;
  readonly end: (context: SealwireContext) => void;
}

/** Where the results of a handler go. */
export interface ResultSink {
  /** The handler returned this and nothing else. */
  only(value: unknown): void;
  next(value: unknown): void;
  complete(): void;
  error(error: unknown): void;
}

export interface ExecutionOptions {
  readonly handler: MessageHandler;
  readonly data: unknown;
  readonly context: SealwireContext;
  readonly hooks: ProcessingHooks;
  readonly sink: ResultSink;
  /** The handler has ended, or nothing of it runs any more. */
  readonly settled: () => void;
}

/** One handler at work on one message, from the start hook to the end hook. */
export class Execution {
  readonly #options: ExecutionOptions;
  #subscription: Subscription | undefined;
  #state: 'RUNNING' | 'CANCELLED' | 'SETTLED' = 'RUNNING';

  constructor(options: ExecutionOptions) {
    this.#options = options;
  }

  start(): void {
    const { hooks, context } = this.#options;
    try {
      hooks.start(context, () => this.#run());
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Nobody waits for the result: observables are torn down, the signal fires. A promise that is pending runs on. */
  cancel(): void {
    if (this.#state !== 'RUNNING') return;
    this.#state = 'CANCELLED';
    this.#options.context.cancel();
    if (this.#subscription === undefined) return;
    this.#subscription.unsubscribe();
    this.#settle();
  }

  async #run(): Promise<void> {
    const { handler, data, context, sink } = this.#options;
    try {
      const result: unknown = await handler(data, context);
      if (this.#state === 'CANCELLED') this.#settle();
      else if (isObservable(result)) this.#subscribe(result);
      else {
        sink.only(result);
        this.#settle();
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #subscribe(result: Observable<unknown>): void {
    const { sink } = this.#options;
    this.#subscription = result.subscribe({
      next: (value) => {
        if (this.#state === 'RUNNING') sink.next(value);
      },
      error: (error: unknown) => this.#fail(error),
      complete: () => {
        if (this.#state === 'RUNNING') sink.complete();
        this.#settle();
      },
    });
    if (this.#state !== 'CANCELLED') return;
    // Cancelled by its own first values, before there was a subscription to end.
    this.#subscription.unsubscribe();
    this.#settle();
  }

  #fail(error: unknown): void {
    if (this.#state === 'RUNNING') this.#options.sink.error(error);
    this.#settle();
  }

  #settle(): void {
    if (this.#state === 'SETTLED') return;
    this.#state = 'SETTLED';
    const { hooks, context, settled } = this.#options;
    settled();
    hooks.end(context);
  }
}
