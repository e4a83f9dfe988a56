/** An async iterable that can be stopped from outside: a generator, or a stream of Node. */
export class PullSource {
  readonly #values: AsyncIterable<unknown>;
  readonly #iterator: AsyncIterator<unknown>;
  #isStopped = false;

  constructor(values: AsyncIterable<unknown>) {
    this.#values = values;
    this.#iterator = values[Symbol.asyncIterator]();
  }

  /** The next value; rejects with what the source fails with. Nothing of it is asked for once it was stopped. */
  next(): Promise<IteratorResult<unknown>> {
    return this.#isStopped ? Promise.resolve({ done: true, value: undefined }) : this.#iterator.next();
  }

  /**
   * Lets go of what the source holds. A generator hears of it at its next `yield`, a stream at once.
   * @throws Whatever a `destroy` or `return` of the user's throws.
   */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    if (isDestroyable(this.#values)) this.#values.destroy();
    // Nobody waits any more for what its clean-up fails with, nor need it be a promise.
    else void Promise.resolve(this.#iterator.return?.()).catch(() => undefined);
  }
}

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** A stream that waits for its source would not hear of `return` before that gives something. */
function isDestroyable(values: object): values is { destroy(): void } {
  return 'destroy' in values && typeof values.destroy === 'function';
}
