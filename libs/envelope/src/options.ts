// The checks of options at run time: they also come from JavaScript and from configuration, which have no types.
import type { KeySource } from '@sealwire/crypto';

import { EnvelopeError } from './errors.js';

export const DEFAULT_MAX_AGE_MS = 60_000;
/** A day: the replay window remembers ids for twice as long. */
const MAX_MAX_AGE_MS = 86_400_000;

/** The options that sealers and openers share. */
export interface EnvelopeOptions {
  /** The keys: a `Keyring`, a `WatchedKeyFile` or a source of your own. */
  readonly keys: KeySource;
  /** The name of the service, `aud` of every envelope. Both sides must use the same one. */
  readonly service: string;
  /** The largest envelope in bytes. Default: 16 MiB. */
  readonly maxEnvelopeBytes?: number | undefined;
}

/** The age, the replay check and the size that an opener accepts. */
export interface EnvelopeOpenerOptions extends EnvelopeOptions {
  /**
   * The largest difference between `iat` and the clock of this process, either way, in milliseconds; at most a day.
   * Default: 60,000. Use `off`, together with `replay: 'off'`, for messages that a broker keeps for later.
   */
  readonly maxAgeMs?: number | 'off' | undefined;
  /**
   * The check for replays. With `window`, the default, this object opens each envelope once. Use `off` if the broker may
   * deliver a message again, or if a shared {@link ReplayStore} claims every id.
   */
  readonly replay?: 'window' | 'off' | undefined;
}

/** @throws {EnvelopeError} `ERR_ENVELOPE_OPTION` */
export function checkOptions({ keys, service, maxEnvelopeBytes = 1 }: EnvelopeOptions): void {
  const find: unknown = typeof keys === 'object' && keys !== null ? Reflect.get(keys, 'find') : undefined;
  if (typeof find !== 'function') throw badOption('keys', 'a KeySource');
  if (typeof service !== 'string' || service === '') throw badOption('service', 'a non-empty string');
  if (!isPositive(maxEnvelopeBytes)) throw badOption('maxEnvelopeBytes', 'a whole number of bytes, at least 1');
}

/** @throws {EnvelopeError} `ERR_ENVELOPE_OPTION` */
export function checkOpenerOptions(options: EnvelopeOpenerOptions): void {
  checkOptions(options);
  const { maxAgeMs = DEFAULT_MAX_AGE_MS, replay = 'window' } = options;
  if (maxAgeMs !== 'off' && !(isPositive(maxAgeMs) && maxAgeMs <= MAX_MAX_AGE_MS))
    throw badOption('maxAgeMs', `'off' or a whole number of milliseconds from 1 to ${MAX_MAX_AGE_MS}`);
  if (replay !== 'window' && replay !== 'off') throw badOption('replay', `'window' or 'off'`);
  if (maxAgeMs === 'off' && replay === 'window')
    throw badOption('replay', `'off' if maxAgeMs is 'off', because the replay window could then never forget an id`);
}

/** @throws {EnvelopeError} `ERR_ENVELOPE_OPTION` */
export function checkSubject(subject: string): void {
  if (typeof subject !== 'string' || subject === '') throw badOption('subject', 'a non-empty string');
}

function isPositive(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

/** Returns the error of a wrong option. Does not show the value, which may be a key in the wrong place. */
function badOption(name: string, mustBe: string): EnvelopeError {
  return new EnvelopeError('ERR_ENVELOPE_OPTION', `The option ${name} is wrong; it must be ${mustBe}`);
}
