// What options may be, beyond what their types say: they come from JavaScript and from configuration, too.
import { TransportError } from './errors.js';

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

export const OBJECT: Rule = {
  mustBe: 'an object',
  accepts: (value) => typeof value === 'object' && value !== null,
};

export function oneOf(...values: readonly string[]): Rule {
  return { mustBe: values.join(' or '), accepts: (value) => values.some((allowed) => allowed === value) };
}

/** Whoever has the method will do, of whichever copy of a package its class is. */
export function having(method: string, what: string): Rule {
  return { mustBe: what, accepts: (value) => hasMethod(value, method) };
}

export function hasMethod(value: unknown, method: string): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, method) === 'function';
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

/** No contents of a text or an object: a key can get into the wrong place. */
function show(value: unknown): string {
  if (value === '') return 'empty';
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  return value === undefined ? 'missing' : `of type ${typeof value}`;
}
