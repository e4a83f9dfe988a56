// One numeric option: its default, its range, and the error if it is exceeded.
import { TransportError } from '../errors.js';
import type { TransportErrorCode } from '../errors.js';
import { show } from './option-check.js';

export const KIB = 1_024;
export const MIB = 1_024 * KIB;
export const GIB = 1_024 * MIB;
export const HOUR_MS = 3_600_000;
export const MAX_U32 = 0xffff_ffff;

export type Side = 'client' | 'server';

/** Depends on other limits, which `of` returns by their names, or on the side. */
type Derived = (of: (name: string) => number, side: Side) => number;

export interface Limit {
  readonly default: number | Derived;
  readonly least: number | Derived;
  readonly greatest: number;
  /** Whether 0 turns the limit off (docs/adr/0011): it becomes Infinity, and no deadline expires. */
  readonly zeroIsOff?: true;
  /** The name of a limit of the same table that this one must not exceed. */
  readonly atMost?: string;
  /** The code of the error if it is exceeded; without one the sender waits, or a key or a connection is replaced. */
  readonly code?: TransportErrorCode;
}

export type LimitTable = Readonly<Record<string, Limit>>;

/** The numbers of a table that are given; the others have their defaults. */
export type Given<Table extends LimitTable> = { readonly [Name in keyof Table]?: number };

export type Resolved<Table extends LimitTable> = { readonly [Name in keyof Table]: number };

/**
 * Fills in the defaults and checks the numbers.
 *
 * @param prefix - Precedes the names in errors.
 * @throws {TransportError} `ERR_BAD_OPTION` - names the option and its allowed values.
 */
export function resolveTable<Table extends LimitTable>(
  table: Table,
  given: Given<Table>,
  side: Side,
  prefix: string,
): Resolved<Table> {
  const value = (derived: number | Derived): number => (typeof derived === 'number' ? derived : derived(of, side));
  const of = (name: string): number => {
    const { [name]: limit } = table;
    if (limit === undefined) throw new TypeError(`There is no limit with the name ${name}`);
    const { [name]: wanted = value(limit.default) } = given;
    return checkLimit(prefix + name, wanted, value(limit.least), limit.greatest);
  };
  const resolve = (name: string, { atMost, zeroIsOff }: Limit): number => {
    const limit = of(name);
    if (atMost !== undefined) checkOrder(prefix, [name, limit], [atMost, of(atMost)]);
    return zeroIsOff === true && limit === 0 ? Infinity : limit;
  };
  const limits = Object.entries(table).map(([name, row]) => [name, resolve(name, row)] as const);
  return Object.fromEntries(limits) as Resolved<Table>;
}

function checkOrder(prefix: string, [name, limit]: [string, number], [greaterName, greater]: [string, number]): void {
  if (limit <= greater) return;
  throw new TransportError(
    'ERR_BAD_OPTION',
    `${prefix}${name} is ${limit}; it must be at most ${prefix}${greaterName}, which is ${greater}`,
  );
}

/** @throws {TransportError} `ERR_BAD_OPTION` - names the option and its allowed values. */
export function checkLimit(name: string, value: number, least: number, greatest: number): number {
  if (Number.isInteger(value) && value >= least && value <= greatest) return value;
  throw new TransportError(
    'ERR_BAD_OPTION',
    `${name} is ${show(value)}; it must be an integer from ${least} to ${greatest}`,
  );
}
