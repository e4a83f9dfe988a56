import { TransportError } from '../errors.js';
import { hasMethod } from '../option-check.js';

/** Steps of one answer that wait, at either end, where the user's code takes its time. */
export const MAX_STEPS_OF_ANSWER = 1_024;

/**
 * Runs steps that may be asynchronous one after the other. Users' serializers may return promises, and messages must not
 * overtake one another for it; as long as none does, every step runs at once.
 */
export class InOrder {
  readonly #maxWaiting: number;
  #tail: Promise<void> | undefined;
  #waiting = 0;

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  /** Steps that have not run to their end. */
  get waitingCount(): number {
    return this.#waiting;
  }

  /** Resolves when what waits now has run; undefined when nothing does. */
  get whenIdle(): Promise<void> | undefined {
    return this.#tail;
  }

  /** @param fail - Is told of what a step fails with; `ERR_QUEUE_FULL`, `sent: false`, when too many wait. */
  run<T>(produce: () => T | PromiseLike<T>, use: (value: T) => void, fail: (error: unknown) => void): void {
    if (this.#waiting >= this.#maxWaiting) {
      fail(new TransportError('ERR_QUEUE_FULL', `${this.#waiting} messages wait to be serialized`, { sent: false }));
      return;
    }
    if (this.#tail !== undefined) {
      this.#append(this.#tail.then(produce), use, fail);
      return;
    }
    try {
      const value = produce();
      if (isThenable(value)) this.#append(Promise.resolve(value), use, fail);
      else use(value);
    } catch (error) {
      fail(error);
    }
  }

  #append<T>(step: Promise<T>, use: (value: T) => void, fail: (error: unknown) => void): void {
    this.#waiting += 1;
    const tail = step.then(use).catch(fail);
    this.#tail = tail;
    void tail.then(() => {
      this.#waiting -= 1;
      if (this.#tail === tail) this.#tail = undefined;
    });
  }
}

/** Libraries have promises of their own. */
function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return hasMethod(value, 'then');
}
