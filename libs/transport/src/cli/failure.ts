// The failures of the command line and its exit codes.

/** A wrong command. */
export const USAGE = 2;
/** The command was right, and failed. */
export const FAILED = 1;
/** As shells report the end by SIGINT. */
export const INTERRUPTED = 130;

/** A wrong command: nothing was done. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'ERR_USAGE';
}

/** The end by Ctrl-C. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** A failure with a code for programs. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: string;
  /** More facts for `--json`. */
  readonly facts: object;

  constructor(code: string, message: string, facts: object = {}) {
    super(message);
    this.code = code;
    this.facts = facts;
  }
}

export interface Described {
  readonly code: string;
  readonly message: string;
  readonly exitCode: number;
  readonly facts: object;
}

/** Describes what a verb has thrown. */
export function describe(error: unknown): Described {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UsageError) return { code: error.code, message, exitCode: USAGE, facts: {} };
  if (error instanceof Failure) return { code: error.code, message, exitCode: FAILED, facts: error.facts };
  return { code: codeOf(error) ?? 'ERR_UNEXPECTED', message, exitCode: FAILED, facts: {} };
}

/** Returns the code of an error of any library. The classes would have to be loaded for `instanceof`. */
function codeOf(error: unknown): string | undefined {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
