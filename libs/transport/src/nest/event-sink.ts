import type { ResultSink } from './execution.js';

/** Nobody waits for what an event handler returns. */
export function eventSink(failed: (error: unknown) => void): ResultSink {
  return {
    only: () => undefined,
    next: () => undefined,
    whenWritable: () => undefined,
    complete: () => undefined,
    error: failed,
  };
}
