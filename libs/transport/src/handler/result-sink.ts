/** The receiver of the results of a handler. */
export interface ResultSink {
  /** Called with the only result of a handler. */
  only(value: unknown): void;
  next(value: unknown): void;
  /** Returns a promise if a source that can wait should wait. */
  whenWritable(): Promise<void> | undefined;
  complete(): void;
  /** @param isFiltered - Whether the error comes from the handler's observable, as only errors of Nest's filters do. */
  error(error: unknown, isFiltered: boolean): void;
}

interface EventFailures {
  onEventFailed(error: unknown, pattern: string): void;
}

/** Discards the results of an event handler and logs its failure. It keeps nothing of the event but the pattern. */
export class EventSink implements ResultSink {
  readonly #failures: EventFailures;
  readonly #pattern: string;

  constructor(failures: EventFailures, pattern: string) {
    this.#failures = failures;
    this.#pattern = pattern;
  }

  only(): void {}

  next(): void {}

  whenWritable(): undefined {
    return undefined;
  }

  complete(): void {}

  error(error: unknown): void {
    this.#failures.onEventFailed(error, this.#pattern);
  }
}
