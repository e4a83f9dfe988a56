import { Observable } from 'rxjs';

/** Sums since the start of the app. A reader computes rates from their differences. */
export interface CallCounts {
  readonly begun: number;
  readonly answered: number;
  /** The sum of the times until the first value, or the end, of each answered call. */
  readonly latencyMs: number;
}

/** Counts the calls of the channel, and the time until each answer. */
export class TappedCalls {
  #begun = 0;
  #answered = 0;
  #latencyMs = 0;

  get counts(): CallCounts {
    return { begun: this.#begun, answered: this.#answered, latencyMs: this.#latencyMs };
  }

  countEvent(): void {
    this.#begun += 1;
  }

  count<T>(values: Observable<T>): Observable<T> {
    return new Observable((subscriber) => {
      const begunMs = performance.now();
      this.#begun += 1;
      let isAnswered = false;
      const answer = (): void => {
        if (isAnswered) return;
        isAnswered = true;
        this.#answered += 1;
        this.#latencyMs += performance.now() - begunMs;
      };
      return values.subscribe({
        next: (value) => {
          answer();
          subscriber.next(value);
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          answer();
          subscriber.complete();
        },
      });
    });
  }
}
