// The checks of options at run time: options also come from JavaScript and from configuration, which have no types.
import { TransportError } from '../errors.js';

export interface Rule {
  /** Completes "it must be …". */
  readonly mustBe: string;
  readonly accepts: (value: unknown) => boolean;
  /** Describes a wrong value without quoting it, in place of {@link show}. */
  readonly describe?: (value: unknown) => string;
}

export const NAME: Rule = {
  mustBe: 'a non-empty string',
  accepts: (value) => typeof value === 'string' && value !== '',
};

export const FLAG: Rule = { mustBe: 'true or false', accepts: (value) => typeof value === 'boolean' };

export const FUNCTION: Rule = { mustBe: 'a function', accepts: (value) => typeof value === 'function' };

/** How Nest names a transport. */
export const TRANSPORT_ID: Rule = {
  mustBe: 'a symbol or a member of Transport',
  accepts: (value) => typeof value === 'symbol' || typeof value === 'number',
};

export const OBJECT: Rule = { mustBe: 'an object', accepts: isObject };

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function oneOf(...values: readonly string[]): Rule {
  const quoted = values.map((value) => `'${value}'`);
  return {
    mustBe: `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`,
    accepts: (value) => values.some((allowed) => allowed === value),
    describe: (value) => (typeof value === 'string' && value !== '' ? 'an unknown string' : show(value)),
  };
}

/** Accepts every object that has the method: its class may come from another copy of the package. */
export function having(method: string, what: string): Rule {
  return { mustBe: what, accepts: (value) => hasMethod(value, method) };
}

export function hasMethod(value: unknown, method: string): value is object {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, method) === 'function';
}

/** Returns whether a value is a promise, or the thenable of another library. */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return hasMethod(value, 'then');
}

/**
 * Ignores the rejection of a promise that user code returned by mistake, because it would otherwise end the process.
 */
export function ignoreRejection(value: unknown): void {
  if (isThenable(value)) void Promise.resolve(value).catch(() => undefined);
}

/** @throws {TransportError} `ERR_BAD_OPTION` - names the option, its allowed values, and a short wrong value. */
export function checkOption(name: string, value: unknown, { mustBe, accepts, describe = show }: Rule): void {
  if (accepts(value)) return;
  throw new TransportError('ERR_BAD_OPTION', `${name} is ${describe(value)}; it must be ${mustBe}`);
}

/** Checks the options that are given. @throws {TransportError} `ERR_BAD_OPTION` */
export function checkOptions(options: object, rules: Readonly<Record<string, Rule>>): void {
  for (const [name, rule] of Object.entries(rules)) {
    const value: unknown = Reflect.get(options, name);
    if (value !== undefined) checkOption(name, value, rule);
  }
}

/** Checks the callbacks of a client or a server, each of which is optional. @throws {TransportError} `ERR_BAD_OPTION` */
export function checkCallbacks(callbacks: object, names: readonly string[]): void {
  checkOption('The events argument', callbacks, { ...OBJECT, mustBe: 'an object of callbacks' });
  checkPaths(callbacks, names);
  checkOptions(callbacks, Object.fromEntries(names.map((name) => [name, FUNCTION])));
}

/**
 * Checks the names of options, including options in groups.
 *
 * @param paths - The names of options, preceded by their group if they have one: `limits.maxInFlight`.
 * @throws {TransportError} `ERR_BAD_OPTION` - names the unknown option, and the option with the most similar name.
 */
export function checkPaths(options: object, paths: readonly string[], group = ''): void {
  for (const [name, value] of Object.entries(options)) {
    const path = group + name;
    if (!paths.includes(path)) {
      const meant = nearestPath(name, paths);
      const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
      throw new TransportError('ERR_BAD_OPTION', `${group}${name.slice(0, MAX_SHOWN)} is not an option${hint}`);
    }
    const isGroup = paths.some((other) => other.startsWith(`${path}.`));
    if (isGroup && isObject(value)) checkPaths(value, paths, `${path}.`);
  }
}

/** Returns the option with this or a similar name in any group. No option in a group has `Timeout` in its name. */
function nearestPath(name: string, paths: readonly string[]): string | undefined {
  const written = name.toLowerCase();
  const names = [written, written.replace(/timeout(?!s)/, '')];
  const matches = (isSame: (one: string, other: string) => boolean): string | undefined =>
    paths.find((path) => spellingsOf(path).some((spelling) => names.some((known) => isSame(spelling, known))));
  return matches((one, other) => one === other) ?? matches(isNearly);
}

/** Returns the name without its group and together with it: `minms` and `redialminms`. */
function spellingsOf(path: string): readonly string[] {
  const lower = path.toLowerCase();
  return [lower.slice(lower.lastIndexOf('.') + 1), lower.replaceAll('.', '')];
}

const MAX_SHOWN = 64;

/** Returns whether two names differ in one letter, in two swapped letters, or in two extra letters. */
function isNearly(one: string, other: string): boolean {
  const shorter = Math.min(one.length, other.length);
  let before = 0;
  while (before < shorter && one[before] === other[before]) before += 1;
  let behind = 0;
  while (behind < shorter - before && one.at(-1 - behind) === other.at(-1 - behind)) behind += 1;
  const left = one.slice(before, one.length - behind);
  const right = other.slice(before, other.length - behind);
  const isShort = before + behind < 4; // in a short name, two letters are too many
  return (
    (left.length < 2 && right.length < 2) || isSwapped(left, right) || (!isShort && left.length + right.length < 3)
  );
}

function isSwapped(left: string, right: string): boolean {
  return left.length === 2 && right.length === 2 && left[0] === right[1] && left[1] === right[0];
}

/** The form of a number from an environment variable. It is too short for a key, so it may be shown. */
const NUMBER_AS_TEXT = /^-?\d{1,15}$/;

/** Describes a value without the content of a text or an object, because it may be a key in the wrong place. */
export function show(value: unknown): string {
  if (value === '') return 'empty';
  if (typeof value === 'string' && NUMBER_AS_TEXT.test(value)) return `the string '${value}'`;
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  return value === undefined ? 'missing' : `of type ${typeof value}`;
}
