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
  /** Of the message; undefined once the handler was called, which alone has it then. */
  data: unknown;
  readonly context: HandlerContext;
  readonly hooks: ProcessingHooks;
  readonly sink: ResultSink;
  /** The handler has ended, or nothing of it runs any more. */
  readonly settled: () => void;
}

/** A source that was stopped may clean up for so long before its place is given to the next handler. */
export const STOP_TIMEOUT_MS = 5_000;
/** So many values are pulled without a wait before the process has a turn for everything else. */
const MAX_VALUES_OF_TURN = 256;

/** The execution out of which code runs. */
const current = new AsyncLocalStorage<Execution>();

/** One handler at work on one message, from the start hook to the end hook. */
export class Execution {
  readonly #options: ExecutionOptions;
  #subscription: Subscription | undefined;
  /** What values come from; of those that were stopped, the ones that still owe a value. */
  #sources: Set<PullSource> | undefined;
  /** Runs while sources that were stopped have not ended. */
  #stopTimer: NodeJS.Timeout | undefined;
  #hasGiven = false;
  /** STOPPING: nothing of it is told any more, but some of it may still run. */
  #state: 'RUNNING' | 'STOPPING' | 'SETTLED' = 'RUNNING';

  constructor(options: ExecutionOptions) {
    this.#options = options;
  }

  /** The one whose code is calling, if any. */
  static get current(): Execution | undefined {
    return current.getStore();
  }

  /** Whether it answers with values that may never end: it has given one, or is asked for them one by one. */
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
      hooks.failed(error);
      if (!hasBegun) this.#fail(error);
    }
  }

  /** Nobody waits for the result: its source is torn down, the signal fires. A promise that is pending runs on. */
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
    if (subscription !== undefined) this.#tearDown(() => subscription.unsubscribe());
    for (const source of this.#sources ?? []) {
      this.#tearDown(() => source.stop());
      if (!source.isPulled) this.#sources?.delete(source);
    }
    if (!this.#isPulling) return;
    this.#options.context.cancel(); // the only way to reach a generator that waits
    this.#stopTimer ??= clock.setTimeout(() => this.#abandon(), STOP_TIMEOUT_MS).unref();
  }

  /** Its place must not be lost to what it waits for. */
  #abandon(): void {
    if (this.#state === 'SETTLED') return;
    this.#options.hooks.abandoned(this.#options.context);
    this.#settle();
  }

  /** Runs clean-up code of the user's: what it throws must not end the connection, whose other calls are not to blame. */
  #tearDown(cleanUp: () => void): void {
    try {
      cleanUp();
    } catch (error) {
      this.#options.hooks.failed(error);
    }
  }

  /**
   * A stream may fail on the next tick: `destroy(error)`, a write after its end, a signal that has fired already. Ticks come
   * before the microtasks of whatever calls in from I/O, but behind those of a microtask, in which the stream gets its listener.
   */
  async #run(): Promise<void> {
    await Promise.resolve();
    if (this.#settleIfStopped()) return; // cancelled while a start hook waited, or by what came together with the message
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
      this.#tearDown(() => this.#fail(error)); // nothing awaits this promise
    }
  }

  /** Not in the async function, whose variables live as long as the handler runs. */
  #call(): unknown {
    const { handler, data, context } = this.#options;
    this.#options.data = undefined;
    return handler(data, context);
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
        // An interceptor makes an observable of what the handler returned: one whose only value is the iterable.
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
    this.#endIfStopped(this.#subscription);
  }

  /** Stopped by its own first values, before there was a subscription to end. */
  #endIfStopped(subscription: Subscription): void {
    if (this.#state === 'RUNNING') return;
    this.#tearDown(() => subscription.unsubscribe());
    this.#settleIfStopped();
  }

  /** Takes values only as fast as the connection takes them. One that comes when nothing runs any more is stopped at once. */
  async #pull(values: AsyncIterable<unknown>): Promise<void> {
    const { sink } = this.#options;
    const source = new PullSource(values, (error) => this.#fail(error));
    this.#sources ??= new Set();
    this.#sources.add(source);
    if (!this.#isRunning()) this.#tearDown(() => source.stop());
    try {
      for (let pulled = 1; this.#isRunning(); pulled++) {
        await sink.whenWritable();
        source.isPulled = true;
        const next = await source.next();
        source.isPulled = false;
        if (next.done === true) return;
        // Sources that wait resume together, and the first of them may fill the connection again.
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

  /** Whether any source is pulled, or still owes a value. */
  get #isPulling(): boolean {
    return this.#sources !== undefined && this.#sources.size > 0;
  }

  #isRunning(): boolean {
    return this.#state === 'RUNNING';
  }

  /** Not while anything is still being pulled. */
  #settleIfStopped(): boolean {
    if (this.#state !== 'STOPPING') return false;
    if (!this.#isPulling) this.#settle();
    return true;
  }

  /** Whatever of it still runs has lost its reader. */
  #fail(error: unknown, isFiltered = false): void {
    if (this.#state === 'RUNNING') this.#options.sink.error(error, isFiltered);
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
    clock.clearTimeout(this.#stopTimer);
    const { hooks, context, settled } = this.#options;
    settled();
    if (!hooks.areUnset()) hooks.end(context);
  }
}
