import { CryptoError } from '@sealwire/crypto';
import { HttpFailure } from '../../apps/client/src/http/failure/http-failure.js';
import { CryptoError as SourceCryptoError } from '../../libs/crypto/src/errors.js';
import { TransportError } from '../../libs/channel/src/errors.js';
import type { Random } from '../support/random.js';

/** Something that takes bytes which somebody else made. */
export interface Target {
  readonly name: string;
  /** The error codes that the protocol allows it to answer with. */
  readonly codes: readonly string[];
  /** An input. All that is random about a run is in it, so that the same bytes do the same again. */
  make(random: Random): Buffer;
  /**
   * @returns `ok`, or a code.
   * @throws Anything: a finding, as are a code that is not among `codes` and a wait that never ends.
   */
  run(input: Buffer): string | Promise<string>;
  /** Called once at the end. */
  stop?(): Promise<void>;
}

export const OK = 'ok';

/** Runs one decoder; what it throws has to be an error of this project. */
export function outcomeOf(decode: () => void): string {
  try {
    decode();
    return OK;
  } catch (error) {
    return codeOf(error);
  }
}

/** @throws The error itself if it is not an error of this project. */
export function codeOf(error: unknown): string {
  if (
    error instanceof TransportError ||
    error instanceof HttpFailure ||
    error instanceof CryptoError ||
    error instanceof SourceCryptoError
  )
    return error.code;
  throw error;
}

/** For what a target holds to be true whatever comes in. */
export function hold(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}
