import type { BaseRpcContext } from '@nestjs/microservices';

/** What a handler is given beside the message. */
export type HandlerContext = BaseRpcContext & {
  getPattern(): string;
  /** Nobody waits for the result any more. */
  cancel(): void;
};

/** Nest's processing hooks of one server; both exist in Nest 11 and 12. */
export interface ProcessingHooks {
  /** Nobody has set any: to call them would do nothing but cost. */
  readonly areUnset: () => boolean;
  /** May throw or reject: it is the user's. */
  readonly start: (context: HandlerContext, done: () => Promise<void>) => unknown;
  /** Never throws. */
  readonly end: (context: HandlerContext) => void;
  /** What the start hook fails with. */
  readonly failed: (error: unknown) => void;
  /** A source of the handler goes on although it was stopped long ago: its place is free, whatever it does. */
  readonly abandoned: (context: HandlerContext) => void;
}

/** The hooks as Nest calls them. They are the user's: they may throw, or return a promise that rejects. */
export interface UserHooks {
  /** Both are what Nest begins with. */
  readonly areUnset: () => boolean;
  readonly start: (context: HandlerContext, done: () => Promise<void>) => unknown;
  readonly end: (context: HandlerContext) => unknown;
}

/** Logs what hooks and sources of the user's do wrong. */
export interface HookLog {
  hookFailed(error: unknown): void;
  sourceAbandoned(pattern: string): void;
}

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
