import { TransportError } from '@sealwire/channel';
import { isThenable } from '@sealwire/channel/internal';

/** The limit of values of one answer that wait for the serializer or deserializer of the user. */
export const MAX_STEPS_OF_ANSWER = 1_024;

interface WaitingStep {
  readonly fail: (error: unknown) => void;
}

/**
 * Runs steps in FIFO order. The serializer of a user may return promises, and messages must stay in order even so. While
 * no step is pending, a synchronous step runs immediately.
 */
export class SerialQueue {
  readonly #maxWaiting: number;
  #waiting: Set<WaitingStep> | undefined;
  #tail: Promise<void> | undefined;

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  /** The number of pending steps. */
  get waitingCount(): number {
    return this.#waiting?.size ?? 0;
  }

  /** Resolves when all pending steps have ended; undefined if none is pending. */
  get whenIdle(): Promise<void> | undefined {
    return this.#tail;
  }

  /** @param fail - Called with the error of a step, or with `ERR_QUEUE_FULL`, `sent: false`, if too many are pending. */
  run<T>(produce: () => T | PromiseLike<T>, use: (value: T) => void, fail: (error: unknown) => void): void {
    if (this.waitingCount >= this.#maxWaiting) {
      fail(
        new TransportError(
          'ERR_QUEUE_FULL',
          `The queue is full: ${this.#maxWaiting} messages are already waiting for the serializer`,
          {
            sent: false,
          },
        ),
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

  /** Fails the pending steps and ignores their later results, because user code may never end. */
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
