import { AsyncLocalStorage } from 'node:async_hooks';

import type { MessageHandler } from '@nestjs/microservices';
import { clock } from '@sealwire/channel/internal';
import { isObservable } from 'rxjs';
import type { Observable, Subscription } from 'rxjs';

import type { HandlerContext, ProcessingHooks } from './processing-hooks.js';
import { isAsyncIterable, PullSource } from './pull-source.js';
import type { ResultSink } from './result-sink.js';

export interface ExecutionOptions {
  readonly handler: MessageHandler;
  /** The data of the message. Cleared when the handler is called, so that only the handler keeps it alive. */
  data: unknown;
  readonly context: HandlerContext;
  readonly hooks: ProcessingHooks;
  readonly sink: ResultSink;
  /** Called once, when the handler has ended or has to give its place back. */
  readonly onSettled: () => void;
}

/** The time that a stopped source has for its clean-up before its place is given to the next handler. */
export const STOP_TIMEOUT_MS = 5_000;
/** The number of values that are pulled before the event loop gets a turn: an eager source must not starve the process. */
const MAX_VALUES_OF_TURN = 256;

/** The execution that the running code belongs to. */
const current = new AsyncLocalStorage<Execution>();

/** One run of a handler for one message, from the start hook to the end hook. */
export class Execution {
  readonly #options: ExecutionOptions;
  #subscription: Subscription | undefined;
  /** The sources of values. A stopped source is removed unless its `next` is still pending. */
  #sources: Set<PullSource> | undefined;
  /** Runs while a stopped source has not ended. */
  #stopTimer: NodeJS.Timeout | undefined;
  #hasGiven = false;
  /** STOPPING: no further result is reported, but user code may still run. */
  #state: 'RUNNING' | 'STOPPING' | 'SETTLED' = 'RUNNING';

  constructor(options: ExecutionOptions) {
    this.#options = options;
  }

  /** The execution whose code is calling, if any. */
  static get current(): Execution | undefined {
    return current.getStore();
  }

  /** Whether the answer is a series, which may never end: it has had a value, or its values are pulled. */
  get isSeries(): boolean {
    return this.#state === 'RUNNING' && (this.#hasGiven || this.#isPulling);
  }

  start(): Promise<void> {
    return current.run(this, Execution.#startIn, this);
  }

  static #startIn(this: void, execution: Execution): Promise<void> {
    return execution.#options.hooks.areUnset() ? execution.#run() : execution.#runWithHooks();
  }

  async #runWithHooks(): Promise<void> {
    const { hooks, context } = this.#options;
    let hasBegun = false;
    try {
      await hooks.start(context, () => {
        hasBegun = true;
        return this.#run();
      });
    } catch (error) {
      hooks.onFailure(error);
      if (!hasBegun) this.#fail(error);
    }
  }

  /**
   * Stops the source and fires the signal because the result is no longer needed. A pending promise cannot be stopped.
   */
  cancel(): void {
    if (this.#state !== 'RUNNING') return;
    this.#state = 'STOPPING';
    this.#options.context.cancel();
    const isPending = this.#subscription === undefined && !this.#isPulling;
    this.#stop();
    if (!isPending) this.#settleIfStopped();
  }

  #stop(): void {
    const subscription = this.#subscription;
    if (subscription !== undefined) this.#guard(() => subscription.unsubscribe());
    for (const source of this.#sources ?? []) {
      this.#guard(() => source.stop());
      if (!source.isPulled) this.#sources?.delete(source);
    }
    if (!this.#isPulling) return;
    this.#options.context.cancel(); // only the signal reaches a generator that waits
    this.#stopTimer ??= clock
      .setTimeout(() => {
        if (this.#state === 'SETTLED') return;
        this.#options.hooks.onAbandoned(this.#options.context);
        this.#settle(); // otherwise the place of a source that does not stop would be lost
      }, STOP_TIMEOUT_MS)
      .unref();
  }

  /** Runs code that may throw, such as clean-up code of the user. Its errors are logged, because they must not end the connection of other calls. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#options.hooks.onFailure(error);
    }
  }

  /**
   * Runs the handler in a microtask, because a returned stream may emit 'error' on the next tick: after `destroy(error)`, a
   * write after its end, or a signal that has fired. Called from I/O, a tick would run before the microtask that adds the
   * listener; called from a microtask, it runs after.
   */
  async #run(): Promise<void> {
    await Promise.resolve();
    if (this.#settleIfStopped()) return; // cancelled during a start hook, or by a frame in the same record as the message
    try {
      const result: unknown = await this.#call();
      if (isObservable(result)) this.#subscribe(result);
      else if (isAsyncIterable(result)) {
        await this.#pull(result);
        this.#end((sink) => sink.complete());
      } else {
        if (this.#isRunning()) this.#options.sink.only(result);
        this.#settle();
      }
    } catch (error) {
      this.#guard(() => this.#fail(error)); // nothing awaits this promise
    }
  }

  /** Calls the handler. Not inlined in the async function, which would keep `data` alive while the handler runs. */
  #call(): unknown {
    const { handler, data, context } = this.#options;
    this.#options.data = undefined;
    return handler(data, context);
  }

  #subscribe(result: Observable<unknown>): void {
    if (this.#settleIfStopped()) return;
    let running = 1; // the observable and the iterables that it emits
    const complete = (): void => {
      running -= 1;
      if (running === 0) this.#end((sink) => sink.complete());
    };
    const fail = (error: unknown): void => this.#fail(error);
    this.#subscription = result.subscribe({
      next: (value) => {
        // If an interceptor is used, Nest wraps the iterable that the handler returned in an observable.
        if (isAsyncIterable(value)) {
          running += 1;
          this.#pull(value).then(complete, fail);
        } else if (this.#state === 'RUNNING') {
          this.#hasGiven = true;
          this.#options.sink.next(value);
        }
      },
      error: (error: unknown) => this.#fail(error, true),
      complete,
    });
    if (this.#isRunning()) return;
    const subscription = this.#subscription; // the values emitted during `subscribe` have stopped the execution
    this.#guard(() => subscription.unsubscribe());
    this.#settleIfStopped();
  }

  /** Pulls values as fast as the connection takes them. An iterable that comes after the end is stopped immediately. */
  async #pull(values: AsyncIterable<unknown>): Promise<void> {
    const { sink } = this.#options;
    const source = new PullSource(values, (error) => this.#fail(error));
    this.#sources ??= new Set();
    this.#sources.add(source);
    if (!this.#isRunning()) this.#guard(() => source.stop());
    try {
      for (let pulled = 1; this.#isRunning(); pulled++) {
        await sink.whenWritable();
        source.isPulled = true;
        const next = await source.next();
        source.isPulled = false;
        if (next.done === true) return;
        // Waiting sources resume together, and the first one may fill the connection again.
        for (let full = sink.whenWritable(); full !== undefined; full = sink.whenWritable()) await full;
        if (this.#isRunning()) sink.next(next.value);
        if (pulled % MAX_VALUES_OF_TURN === 0) await new Promise<void>((resolve) => clock.setImmediate(resolve));
      }
    } finally {
      source.release();
      this.#sources?.delete(source);
      this.#settleIfStopped();
    }
  }

  /** Whether any source is being pulled. */
  get #isPulling(): boolean {
    return this.#sources !== undefined && this.#sources.size > 0;
  }

  #isRunning(): boolean {
    return this.#state === 'RUNNING';
  }

  /** Settles a stopping execution unless a source is still being pulled. Returns whether the execution is stopping. */
  #settleIfStopped(): boolean {
    if (this.#state !== 'STOPPING') return false;
    if (!this.#isPulling) this.#settle();
    return true;
  }

  /** Reports a failure and stops all sources. The place is freed even if the failure cannot be reported. */
  #fail(error: unknown, isFiltered = false): void {
    if (this.#state === 'RUNNING') this.#guard(() => this.#options.sink.error(error, isFiltered));
    if (this.#state === 'RUNNING') this.#state = 'STOPPING'; // unless the sink has cancelled the execution
    this.#stop();
    this.#settleIfStopped();
  }

  #end(report: (sink: ResultSink) => void): void {
    if (this.#state === 'RUNNING') report(this.#options.sink);
    this.#settle();
  }

  #settle(): void {
    if (this.#state === 'SETTLED') return;
    this.#state = 'SETTLED';
    clock.clearTimeout(this.#stopTimer);
    const { hooks, context, onSettled } = this.#options;
    onSettled();
    if (!hooks.areUnset()) hooks.end(context);
  }
}
