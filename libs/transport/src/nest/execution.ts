import type { BaseRpcContext, MessageHandler } from '@nestjs/microservices';
import { isObservable } from 'rxjs';
import type { Observable, Subscription } from 'rxjs';

import { isAsyncIterable, PullSource } from './pull-source.js';

/** What a handler is given beside the message. */
export type HandlerContext = BaseRpcContext & {
  /** Nobody waits for the result any more. */
  cancel(): void;
};

/** Nest's processing hooks of one server; both exist in Nest 11 and 12. */
export interface ProcessingHooks {
  /** May throw or reject: it is the user's. */
  readonly start: (context: HandlerContext, done: () => Promise<void>) => unknown;
  /** Never throws. */
  readonly end: (context: HandlerContext) => void;
  /** What the start hook fails with. */
  readonly failed: (error: unknown) => void;
}

/** Where the results of a handler go. */
export interface ResultSink {
  /** The handler returned this and nothing else. */
  only(value: unknown): void;
  next(value: unknown): void;
  /** For a source that can wait: undefined when it need not. */
  whenWritable(): Promise<void> | undefined;
  complete(): void;
  error(error: unknown): void;
}

export interface ExecutionOptions {
  readonly handler: MessageHandler;
  readonly data: unknown;
  readonly context: HandlerContext;
  readonly hooks: ProcessingHooks;
  readonly sink: ResultSink;
  /** The handler has ended, or nothing of it runs any more. */
  readonly settled: () => void;
}

/** One handler at work on one message, from the start hook to the end hook. */
export class Execution {
  readonly #options: ExecutionOptions;
  #subscription: Subscription | undefined;
  /** What is being pulled. */
  readonly #sources = new Set<PullSource>();
  /** STOPPING: nothing of it is told any more, but some of it may still run. */
  #state: 'RUNNING' | 'STOPPING' | 'SETTLED' = 'RUNNING';

  constructor(options: ExecutionOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { hooks, context } = this.#options;
    let hasBegun = false;
    try {
      await hooks.start(context, () => {
        hasBegun = true;
        return this.#run();
      });
    } catch (error) {
      hooks.failed(error);
      if (!hasBegun) this.#fail(error);
    }
  }

  /** Nobody waits for the result: its source is torn down, the signal fires. A promise that is pending runs on. */
  cancel(): void {
    if (this.#state !== 'RUNNING') return;
    this.#state = 'STOPPING';
    this.#options.context.cancel();
    this.#stop();
    if (this.#subscription !== undefined) this.#settleIfStopped();
  }

  #stop(): void {
    const subscription = this.#subscription;
    if (subscription !== undefined) this.#tearDown(() => subscription.unsubscribe());
    for (const source of this.#sources) this.#tearDown(() => source.stop());
  }

  /** Runs clean-up code of the user's: what it throws must not end the connection, whose other calls are not to blame. */
  #tearDown(cleanUp: () => void): void {
    try {
      cleanUp();
    } catch (error) {
      this.#options.hooks.failed(error);
    }
  }

  async #run(): Promise<void> {
    const { handler, data, context } = this.#options;
    if (this.#settleIfStopped()) return; // cancelled while a start hook waited
    try {
      const result: unknown = await handler(data, context);
      if (isObservable(result)) this.#subscribe(result);
      else if (isAsyncIterable(result)) {
        await this.#pull(result);
        this.#end((sink) => sink.complete());
      } else this.#end((sink) => sink.only(result));
    } catch (error) {
      this.#fail(error);
    }
  }

  #subscribe(result: Observable<unknown>): void {
    if (this.#settleIfStopped()) return;
    let running = 1; // the observable, and every iterable that it gives
    const complete = (): void => {
      running -= 1;
      if (running === 0) this.#end((sink) => sink.complete());
    };
    const fail = (error: unknown): void => this.#fail(error);
    this.#subscription = result.subscribe({
      next: (value) => {
        if (this.#state !== 'RUNNING') return;
        // An interceptor makes an observable of what the handler returned: one whose only value is the iterable.
        if (isAsyncIterable(value)) {
          running += 1;
          this.#pull(value).then(complete, fail);
        } else this.#options.sink.next(value);
      },
      error: fail,
      complete,
    });
    this.#endIfStopped(this.#subscription);
  }

  /** Stopped by its own first values, before there was a subscription to end. */
  #endIfStopped(subscription: Subscription): void {
    if (this.#state !== 'STOPPING') return;
    this.#tearDown(() => subscription.unsubscribe());
    this.#settleIfStopped();
  }

  /** Takes values only as fast as the connection takes them. */
  async #pull(values: AsyncIterable<unknown>): Promise<void> {
    const { sink } = this.#options;
    const source = new PullSource(values);
    this.#sources.add(source);
    if (!this.#isRunning()) this.#tearDown(() => source.stop());
    try {
      while (this.#isRunning()) {
        await sink.whenWritable();
        const next = await source.next();
        if (next.done === true) return;
        if (this.#isRunning()) sink.next(next.value);
      }
    } finally {
      this.#sources.delete(source);
      this.#settleIfStopped();
    }
  }

  #isRunning(): boolean {
    return this.#state === 'RUNNING';
  }

  /** Not while anything is still being pulled. */
  #settleIfStopped(): boolean {
    if (this.#state !== 'STOPPING') return false;
    if (this.#sources.size === 0) this.#settle();
    return true;
  }

  /** Whatever of it still runs has lost its reader. */
  #fail(error: unknown): void {
    if (this.#state === 'RUNNING') this.#options.sink.error(error);
    if (this.#state === 'RUNNING') this.#state = 'STOPPING'; // unless telling it has cancelled the rest
    this.#stop();
    this.#settleIfStopped();
  }

  #end(tell: (sink: ResultSink) => void): void {
    if (this.#state === 'RUNNING') tell(this.#options.sink);
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
