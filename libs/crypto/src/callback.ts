import { inspect, types } from 'node:util';

/**
 * Returns a function that calls a callback of the application. If the callback throws or rejects, the process emits a
 * warning, and the library continues.
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

/** Emits a warning of the process for a failure of the application that nothing else reports. */
export function report(name: string, error: unknown): void {
  process.emitWarning(`${name} failed`, { type: 'SealwireWarning', detail: describe(error) });
}

function describe(error: unknown): string {
  try {
    return inspect(error, { customInspect: false });
  } catch {
    return 'The value that was thrown cannot be shown'; // a getter of it throws
  }
}
