import { TransportError } from '@sealwire/channel';
import { hasMethod } from '@sealwire/channel/internal';

/** Steps of one answer that wait, at either end, where the user's code takes its time. */
export const MAX_STEPS_OF_ANSWER = 1_024;

interface WaitingStep {
  readonly fail: (error: unknown) => void;
}

/**
 * Runs steps that may be asynchronous one after the other. Users' serializers may return promises, and messages must not
 * overtake one another for it; as long as none does, every step runs at once.
 */
export class InOrder {
  readonly #maxWaiting: number;
  #waiting: Set<WaitingStep> | undefined;
  #tail: Promise<void> | undefined;

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  /** Steps that have not run to their end. */
  get waitingCount(): number {
    return this.#waiting?.size ?? 0;
  }

  /** Resolves when what waits now has run; undefined when nothing does. */
  get whenIdle(): Promise<void> | undefined {
    return this.#tail;
  }

  /** @param fail - Is told of what a step fails with; `ERR_QUEUE_FULL`, `sent: false`, when too many wait. */
  run<T>(produce: () => T | PromiseLike<T>, use: (value: T) => void, fail: (error: unknown) => void): void {
    if (this.waitingCount >= this.#maxWaiting) {
      fail(
        new TransportError('ERR_QUEUE_FULL', `${this.waitingCount} messages wait to be serialized`, { sent: false }),
      );
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

  /** Fails what waits; what still comes of it changes nothing. The user's code may never come to an end. */
  abandon(error: unknown): void {
    const steps = [...(this.#waiting ?? [])];
    this.#waiting?.clear();
    this.#tail = undefined;
    for (const { fail } of steps) fail(error);
  }

  #append<T>(step: Promise<T>, use: (value: T) => void, fail: (error: unknown) => void): void {
    const waiting = { fail };
    (this.#waiting ??= new Set()).add(waiting);
    const unlessAbandoned =
      <V>(proceed: (value: V) => void) =>
      (value: V): void => {
        if (this.#waiting?.has(waiting)) proceed(value);
      };
    const tail = step.then(unlessAbandoned(use)).catch(unlessAbandoned(fail));
    this.#tail = tail;
    void tail.then(() => {
      this.#waiting?.delete(waiting);
      if (this.#tail === tail) this.#tail = undefined;
    });
  }
}

/** Libraries have promises of their own. */
function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return hasMethod(value, 'then');
}
