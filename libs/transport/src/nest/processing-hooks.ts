import type { HandlerContext, ProcessingHooks } from './execution.js';
import type { FailureLog } from './failure-log.js';

/** The hooks as Nest calls them. They are the user's: they may throw, or return a promise that rejects. */
export interface UserHooks {
  /** Both are what Nest begins with. */
  readonly areUnset: () => boolean;
  readonly start: (context: HandlerContext, done: () => Promise<void>) => unknown;
  readonly end: (context: HandlerContext) => unknown;
}

export type HookLog = Pick<FailureLog, 'hookFailed' | 'sourceAbandoned'>;

/** The same where what the end hook fails with goes to the log: the answer is on its way, and nobody else would catch it. */
export function guardHooks({ areUnset, start, end }: UserHooks, log: HookLog): ProcessingHooks {
  const failed = (error: unknown): void => log.hookFailed(error);
  const runEnd = async (context: HandlerContext): Promise<void> => {
    try {
      await end(context);
    } catch (error) {
      failed(error);
    }
  };
  return {
    areUnset,
    start,
    end: (context) => void runEnd(context),
    failed,
    abandoned: (context) => log.sourceAbandoned(context.getPattern()),
  };
}
