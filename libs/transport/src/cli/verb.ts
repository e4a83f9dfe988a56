import type { Input } from './input.js';
import type { Terminal } from './terminal.js';

/** An option of a verb that takes a value, or is a flag. */
export interface VerbOption {
  /** The name of its value in the help, such as `FILE`; undefined for a flag. */
  readonly value?: string;
  readonly summary: string;
  /** The environment variable that is used if the option is missing. */
  readonly env?: string;
  /** The value in words if the option and the variable are missing, for the help. */
  readonly default?: string;
  /** Whether it may be given several times. */
  readonly multiple?: boolean;
}

/** One verb of the command line. */
export interface Verb {
  /** `keygen`, or two words as `keyring list`. */
  readonly name: string;
  /** The names of its arguments; those in brackets may be missing. */
  readonly arguments: readonly string[];
  readonly summary: string;
  /** A command for its help, without the program. */
  readonly example: string;
  /** More sentences for its help. */
  readonly details?: string;
  readonly options: Readonly<Record<string, VerbOption>>;
  /** Loads its code. Verbs of key files load neither sockets nor Nest. */
  readonly load: () => Promise<VerbCode>;
}

export interface VerbCode {
  /** Throws a failure: a `UsageError`, a `CryptoError`, a `TransportError`, or a `Failure`. */
  readonly run: (input: Input, terminal: Terminal) => Promise<Result>;
}

/** The output of a verb. It contains no key material. */
export interface Result {
  /** For people: lines on standard output. */
  readonly text: string;
  /** For programs: printed as one line instead of the text, with `--json`. */
  readonly json: unknown;
  /** Default: 0. */
  readonly exitCode?: number;
}
