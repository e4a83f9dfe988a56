// The rules for options at run time: options also come from JavaScript and from configuration, where types do not help.
import { TransportError } from '../errors.js';

export interface Rule {
  /** Completes "it must be …". */
  readonly mustBe: string;
  readonly accepts: (value: unknown) => boolean;
}

export const NAME: Rule = {
  mustBe: 'a string that is not empty',
  accepts: (value) => typeof value === 'string' && value !== '',
};

export const FLAG: Rule = { mustBe: 'true or false', accepts: (value) => typeof value === 'boolean' };

export const FUNCTION: Rule = { mustBe: 'a function', accepts: (value) => typeof value === 'function' };

/** How Nest names a transport. */
export const TRANSPORT_ID: Rule = {
  mustBe: 'a symbol or a number of Transport',
  accepts: (value) => typeof value === 'symbol' || typeof value === 'number',
};

export const OBJECT: Rule = {
  mustBe: 'an object',
  accepts: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

export function oneOf(...values: readonly string[]): Rule {
  return { mustBe: values.join(' or '), accepts: (value) => values.some((allowed) => allowed === value) };
}

/** Accepts every object that has the method: its class may come from another copy of the package. */
export function having(method: string, what: string): Rule {
  return { mustBe: what, accepts: (value) => hasMethod(value, method) };
}

export function hasMethod(value: unknown, method: string): value is object {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, method) === 'function';
}

/** A promise, or the thenable of another library. */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return hasMethod(value, 'then');
}

/** For a promise that user code returned by mistake: if nothing took its rejection, that would end the process. */
export function ignoreRejection(value: unknown): void {
  if (isThenable(value)) void Promise.resolve(value).catch(() => undefined);
}

/** @throws {TransportError} `ERR_BAD_OPTION` - names the option and what it may be; what it is only where that is short. */
export function checkOption(name: string, value: unknown, { mustBe, accepts }: Rule): void {
  if (accepts(value)) return;
  throw new TransportError('ERR_BAD_OPTION', `${name} is ${show(value)}; it must be ${mustBe}`);
}

/** Checks those that are given. @throws {TransportError} `ERR_BAD_OPTION` */
export function checkOptions(options: object, rules: Readonly<Record<string, Rule>>): void {
  for (const [name, rule] of Object.entries(rules)) {
    const value: unknown = Reflect.get(options, name);
    if (value !== undefined) checkOption(name, value, rule);
  }
}

/** Checks the callbacks of an end, each of which may be left out. @throws {TransportError} `ERR_BAD_OPTION` */
export function checkCallbacks(callbacks: object, names: readonly string[]): void {
  checkOption('The object of callbacks', callbacks, OBJECT);
  checkPaths(callbacks, names);
  checkOptions(callbacks, Object.fromEntries(names.map((name) => [name, FUNCTION])));
}

/**
 * Checks the names of options, and of those in groups.
 *
 * @param paths - Options in a group have its name before theirs: `limits.maxInFlight`.
 * @throws {TransportError} `ERR_BAD_OPTION` - names what is not an option, and the option that is spelled nearly so.
 */
export function checkPaths(options: object, paths: readonly string[], group = ''): void {
  for (const [name, value] of Object.entries(options)) {
    const path = group + name;
    if (!paths.includes(path)) throw noOption(group, name, paths);
    const isGroup = paths.some((other) => other.startsWith(`${path}.`));
    if (isGroup && OBJECT.accepts(value)) checkPaths(Object(value), paths, `${path}.`);
  }
}

function noOption(group: string, name: string, paths: readonly string[]): TransportError {
  const meant = nearestPath(name, paths);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  return new TransportError('ERR_BAD_OPTION', `${group}${name.slice(0, MAX_SHOWN)} is not an option${hint}`);
}

/** The option of that name in whatever group, or one that is spelled nearly so. The groups have no `Timeout` in their names. */
function nearestPath(name: string, paths: readonly string[]): string | undefined {
  const written = name.toLowerCase();
  const names = [written, written.replace(/timeout(?!s)/, '')];
  const matches = (isSame: (one: string, other: string) => boolean): string | undefined =>
    paths.find((path) => spellingsOf(path).some((spelling) => names.some((known) => isSame(spelling, known))));
  return matches((one, other) => one === other) ?? matches(isNearly);
}

/** Without the group, and joined to it: `minms` and `redialminms`. */
function spellingsOf(path: string): readonly string[] {
  const lower = path.toLowerCase();
  return [lower.slice(lower.lastIndexOf('.') + 1), lower.replaceAll('.', '')];
}

const MAX_SHOWN = 64;

/** Whether one letter, two that are swapped, or two more or less make one of the other. */
function isNearly(one: string, other: string): boolean {
  const shorter = Math.min(one.length, other.length);
  let before = 0;
  while (before < shorter && one[before] === other[before]) before += 1;
  let behind = 0;
  while (behind < shorter - before && one.at(-1 - behind) === other.at(-1 - behind)) behind += 1;
  const left = one.slice(before, one.length - behind);
  const right = other.slice(before, other.length - behind);
  const isShort = before + behind < 4; // of a short name two letters are too much
  return (
    (left.length < 2 && right.length < 2) || isSwapped(left, right) || (!isShort && left.length + right.length < 3)
  );
}

function isSwapped(left: string, right: string): boolean {
  return left.length === 2 && right.length === 2 && left[0] === right[1] && left[1] === right[0];
}

/** A number from an environment variable arrives as such a text, which is too short for a key. */
const NUMBER_AS_TEXT = /^-?\d{1,15}$/;

/** No contents of another text or an object: a key can get into the wrong place. */
export function show(value: unknown): string {
  if (value === '') return 'empty';
  if (typeof value === 'string' && NUMBER_AS_TEXT.test(value)) return `the string '${value}'`;
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  return value === undefined ? 'missing' : `of type ${typeof value}`;
}
