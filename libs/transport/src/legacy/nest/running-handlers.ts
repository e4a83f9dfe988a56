import { clock } from '../../clock.js';
import { TransportError } from '../../errors.js';
import { Execution } from '../../nest/execution.js';
import type { ExecutionOptions } from '../../nest/execution.js';

/** The handlers at work on messages of the legacy wire, at most so many at once. */
export class RunningHandlers {
  readonly #max: number;
  readonly #running = new Set<Execution>();
  readonly #emptied = new Set<() => void>();

  constructor(max: number) {
    this.#max = max;
  }

  /** @throws {TransportError} `ERR_OVERLOADED` */
  start(options: Omit<ExecutionOptions, 'settled'>): void {
    if (this.#running.size >= this.#max) {
      throw new TransportError('ERR_OVERLOADED', `${this.#max} handlers are running already`);
    }
    const settled = (): void => {
      this.#running.delete(execution);
      if (this.#running.size === 0) for (const resume of this.#emptied) resume();
    };
    const execution: Execution = new Execution({ ...options, settled });
    this.#running.add(execution);
    void execution.start();
  }

  /** Waits for all of them, and cancels those that are not done in time. Never rejects. */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#running.size === 0) return;
    await new Promise<void>((resolve) => {
      const resume = (): void => {
        clock.clearTimeout(timer);
        this.#emptied.delete(resume);
        resolve();
      };
      const timer = clock.setTimeout(resume, timeoutMs);
      this.#emptied.add(resume);
    });
    for (const execution of this.#running) execution.cancel();
  }
}
