import type { HandlerContext, ProcessingHooks } from './execution.js';

/** The hooks as Nest calls them. They are the user's: they may throw, or return a promise that rejects. */
export interface UserHooks {
  readonly start: (context: HandlerContext, done: () => Promise<void>) => unknown;
  readonly end: (context: HandlerContext) => unknown;
}

/** The same where what the end hook fails with goes to the log: the answer is on its way, and nobody else would catch it. */
export function guardHooks({ start, end }: UserHooks, logError: (error: unknown) => void): ProcessingHooks {
  const runEnd = async (context: HandlerContext): Promise<void> => {
    try {
      await end(context);
    } catch (error) {
      logError(error);
    }
  };
  return { start, end: (context) => void runEnd(context), failed: logError };
}
