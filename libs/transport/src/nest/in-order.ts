/**
 * Runs steps that may be asynchronous one after the other. Users' serializers may return promises, and messages must not
 * overtake one another for it; as long as none does, every step runs at once.
 */
export class InOrder {
  #tail: Promise<void> | undefined;

  run<T>(produce: () => T | Promise<T>, use: (value: T) => void, fail: (error: unknown) => void): void {
    if (this.#tail !== undefined) {
      this.#append(this.#tail.then(produce), use, fail);
      return;
    }
    try {
      const value = produce();
      if (value instanceof Promise) this.#append(value, use, fail);
      else use(value);
    } catch (error) {
      fail(error);
    }
  }

  #append<T>(step: Promise<T>, use: (value: T) => void, fail: (error: unknown) => void): void {
    const tail = step.then(use).catch(fail);
    this.#tail = tail;
    void tail.then(() => {
      if (this.#tail === tail) this.#tail = undefined;
    });
  }
}
