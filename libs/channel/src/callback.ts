import { inspect, types } from 'node:util';

/**
 * Returns a function that calls a callback of the application. A callback that throws or rejects does not change what the
 * channel does: a warning of the process reports it.
 */
export function guarded<Args extends readonly unknown[]>(
  name: string,
  callback: ((...args: Args) => unknown) | undefined,
): (...args: Args) => void {
  return (...args) => {
    try {
      const result = callback?.(...args);
      if (types.isPromise(result)) result.catch((error: unknown) => report(name, error));
    } catch (error) {
      report(name, error);
    }
  };
}

/** Reports a failure of the application that nothing else reports, as a warning of the process. */
export function report(name: string, error: unknown): void {
  process.emitWarning(`${name} failed`, { type: 'SealwireWarning', detail: describe(error) });
}

function describe(error: unknown): string {
  try {
    return inspect(error, { customInspect: false });
  } catch {
    return 'It failed with a value that cannot be shown'; // a getter of it throws
  }
}
