import { TransportError } from '@sealwire/channel';
import { clock } from '@sealwire/channel/internal';

import { Execution } from '../../handler/execution.js';
import type { ExecutionOptions } from '../../handler/execution.js';

/** The running handlers of the legacy wire, at most `max` of them. */
export class RunningHandlers {
  readonly #max: number;
  readonly #running = new Set<Execution>();
  /** The handlers that await the drain. The drain must not wait for them. */
  readonly #closers = new Set<Execution>();
  readonly #drained = new Set<() => void>();

  constructor(max: number) {
    this.#max = max;
  }

  /** @throws {TransportError} `ERR_OVERLOADED` */
  start(options: Omit<ExecutionOptions, 'onSettled'>): void {
    if (this.#running.size >= this.#max) {
      throw new TransportError('ERR_OVERLOADED', `Too many concurrent handlers: ${this.#max} are running (maxRunning)`);
    }
    const onSettled = (): void => {
      this.#running.delete(execution);
      this.#closers.delete(execution);
      if (this.#isDrained) for (const resume of this.#drained) resume();
    };
    const execution: Execution = new Execution({ ...options, onSettled });
    this.#running.add(execution);
    void execution.start();
  }

  /** Waits for all handlers except the calling one, then cancels those that are still running. Never rejects. */
  async drain(timeoutMs: number): Promise<void> {
    const { current } = Execution;
    if (current !== undefined && this.#running.has(current)) this.#closers.add(current);
    if (this.#isDrained) {
      for (const resume of this.#drained) resume();
      return;
    }
    await new Promise<void>((resolve) => {
      const resume = (): void => {
        clock.clearTimeout(timer);
        this.#drained.delete(resume);
        resolve();
      };
      const timer = clock.setTimeout(resume, timeoutMs);
      this.#drained.add(resume);
    });
    for (const execution of this.#running) if (!this.#closers.has(execution)) execution.cancel();
  }

  get #isDrained(): boolean {
    return this.#running.size === this.#closers.size;
  }
}
