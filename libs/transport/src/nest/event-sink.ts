import type { ResultSink } from './execution.js';
import type { HandlerHost } from './handler-host.js';

/** Nobody waits for what an event handler returns. It keeps nothing of the event but its pattern. */
export function eventSink(host: HandlerHost, pattern: string): ResultSink {
  return {
    only: () => undefined,
    next: () => undefined,
    whenWritable: () => undefined,
    complete: () => undefined,
    error: (error) => host.eventFailed(error, pattern),
  };
}
