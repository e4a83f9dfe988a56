/** Where the results of a handler go. */
export interface ResultSink {
  /** The handler returned this and nothing else. */
  only(value: unknown): void;
  next(value: unknown): void;
  /** For a source that can wait: undefined when it need not. */
  whenWritable(): Promise<void> | undefined;
  complete(): void;
  /** @param isFiltered - The handler's observable gave it: what Nest's filters throw comes that way, and nothing else. */
  error(error: unknown, isFiltered: boolean): void;
}

interface EventFailures {
  eventFailed(error: unknown, pattern: string): void;
}

/** Nobody waits for what an event handler returns. It keeps nothing of the event but its pattern. */
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
    this.#failures.eventFailed(error, this.#pattern);
  }
}
