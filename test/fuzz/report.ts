import type { Finding, Result } from './run.js';

const MIB = 1024 * 1024;
const HEADINGS = ['target', 'inputs', 'inputs/s', 'MiB before', 'MiB after', 'outcomes'] as const;

/** A table in Markdown, as docs/fuzzing.md shows it. */
export function reportResults(results: readonly Result[]): readonly string[] {
  const rows = results.map(cellsOf);
  const inputs = results.reduce((sum, result) => sum + result.inputs, 0);
  return [
    line(HEADINGS),
    line(HEADINGS.map(() => '---')),
    ...rows.map(line),
    '',
    `${inputs.toLocaleString('en')} inputs, ${results.filter(({ finding }) => finding !== undefined).length} findings`,
  ];
}

export function reportFinding({ target, seed, at, hex, what }: Finding): readonly string[] {
  return [
    `FOUND in ${target}, input ${at} of seed ${seed}: ${what}`,
    `input: ${hex}`,
    `again: npm run fuzz -- --only '${target}' --input ${hex === '' ? "''" : hex}`,
  ];
}

function cellsOf({ target, inputs, ms, outcomes, memoryBytes, finding }: Result): readonly string[] {
  const byCount = [...outcomes].toSorted(([, a], [, b]) => b - a);
  const counts = byCount.map(([outcome, count]) => `${outcome} ${count.toLocaleString('en')}`);
  return [
    target,
    inputs.toLocaleString('en'),
    Math.round(inputs / (Math.max(1, ms) / 1000)).toLocaleString('en'),
    ...memoryBytes.map((bytes) => (bytes / MIB).toFixed(1)),
    finding === undefined ? counts.join(', ') : 'FOUND',
  ];
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
