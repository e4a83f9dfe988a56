import type { BaseRpcContext } from '@nestjs/microservices';

/** The context that a handler gets in addition to its message. */
export type HandlerContext = BaseRpcContext & {
  getPattern(): string;
  /** Fires the signal, because the result is no longer needed. */
  cancel(): void;
};

/** The processing hooks of one server, as an execution calls them. Nest 11 and 12 have both. */
export interface ProcessingHooks {
  /** Whether no hook is set, so that the calls can be skipped. */
  readonly areUnset: () => boolean;
  /** May throw or reject, because it is user code. */
  readonly start: (context: HandlerContext, done: () => Promise<void>) => unknown;
  /** Never throws. */
  readonly end: (context: HandlerContext) => void;
  /** Called with the error of a start hook or of clean-up code. */
  readonly onFailure: (error: unknown) => void;
  /** Called when a source has not stopped in time and its place is freed anyway. */
  readonly onAbandoned: (context: HandlerContext) => void;
}

/** The hooks as Nest calls them. They are user code, so they may throw or return a promise that rejects. */
export interface UserHooks {
  /** Whether both hooks are Nest's defaults. */
  readonly areUnset: () => boolean;
  readonly start: (context: HandlerContext, done: () => Promise<void>) => unknown;
  readonly end: (context: HandlerContext) => unknown;
}

/** The log of failures of hooks and sources. */
export interface HookLog {
  hookFailed(error: unknown): void;
  sourceAbandoned(pattern: string): void;
}

/** Wraps user hooks so that an error of the end hook is logged: the answer has been sent, and nothing else catches it. */
export function guardHooks({ areUnset, start, end }: UserHooks, log: HookLog): ProcessingHooks {
  const onFailure = (error: unknown): void => log.hookFailed(error);
  const runEnd = async (context: HandlerContext): Promise<void> => {
    try {
      await end(context);
    } catch (error) {
      onFailure(error);
    }
  };
  return {
    areUnset,
    start,
    end: (context) => void runEnd(context),
    onFailure,
    onAbandoned: (context) => log.sourceAbandoned(context.getPattern()),
  };
}
