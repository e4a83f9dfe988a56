import type { Attack } from './attack.js';
import { isAsExpected, type Result } from './run.js';

const NAME_COLUMNS = 44;

/** One line of the table, with what was seen below it. */
export function formatResult(result: Result): readonly string[] {
  const { row, name, target, outcome, saw, milliseconds } = result;
  const mark = isAsExpected(result) ? '' : `   not as expected: ${result.expected}`;
  const seconds = `${(milliseconds / 1000).toFixed(1)} s`;
  return [
    `${String(row).padStart(3)}  ${name.padEnd(NAME_COLUMNS)}  ${target}  ${outcome.padEnd(6)} ${seconds.padStart(7)}${mark}`,
    `       ${saw}`,
  ];
}

export const TABLE_HEAD = `row  ${'attack'.padEnd(NAME_COLUMNS)}  on outcome    time`;

/** A line for each attack that this machine cannot carry out. */
export function formatLacking(attacks: readonly Attack[]): readonly string[] {
  return attacks.flatMap(({ row, name, lacks }) =>
    lacks === undefined ? [] : [`not in this run: row ${row}, ${name}; this machine lacks ${lacks}`],
  );
}

/** The last lines: how many fell and stood, and what was not as it should be. */
export function summarize(results: readonly Result[]): readonly string[] {
  const count = (isWanted: (result: Result) => boolean): number => results.filter(isWanted).length;
  const secure = ({ target }: Result): boolean => target === 'S';
  const stood = ({ outcome }: Result): boolean => outcome === 'STANDS';
  const fell = ({ outcome }: Result): boolean => outcome === 'FALLS';
  const wrong = results.filter((result) => !isAsExpected(result));
  return [
    `The secure channel stood ${count((result) => secure(result) && stood(result))} of ${count(secure)} attacks.`,
    `The weak targets fell to ${count((result) => !secure(result) && fell(result))} of ${count((result) => !secure(result))}.`,
    ...wrong.map(({ row, target, outcome }) => `Not as expected: row ${row} against ${target} ${outcome}`),
  ];
}
