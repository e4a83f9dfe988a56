import { clock, parseTimestamp } from '@sealwire/crypto/internal';

import type { Input } from '../input.js';
import { formatTable, printable } from '../terminal.js';
import type { Terminal } from '../terminal.js';
import type { Result } from '../verb.js';
import { viewOf, withKeys } from './key-view.js';
import type { KeyView } from './key-view.js';

const HEADINGS = ['KID', 'LABEL', 'STATE', 'FROM', 'UNTIL', 'PATTERNS'];
const STATE_COLUMN = 2;
const COLORS = [
  [/^primary/, 'green'],
  [/^re(?:voked|tired)|not yet valid|expired/, 'red'],
] as const;

export async function run(input: Input, terminal: Terminal): Promise<Result> {
  return withKeys(input, terminal, ({ form, entries }) => {
    const keys = entries.map(viewOf);
    const rows = [HEADINGS, ...keys.map((key) => cellsOf(key).map(printable))];
    const text = formatTable(rows, (cell, row, column) => {
      if (row === 0) return terminal.style('bold', cell);
      const color = column === STATE_COLUMN ? COLORS.find(([pattern]) => pattern.test(cell))?.[1] : undefined;
      return color === undefined ? cell : terminal.style(color, cell);
    });
    return { json: { file: input.argument('FILE'), form, keys }, text };
  });
}

function cellsOf(key: KeyView): readonly string[] {
  const { kid, label, notBefore, notAfter, patterns } = key;
  const shown = patterns?.map((pattern) => (pattern.includes(' ') ? JSON.stringify(pattern) : pattern));
  return [kid, label ?? '-', stateOf(key), timeOf(notBefore), timeOf(notAfter), shown?.join(' ') ?? 'all'];
}

function stateOf({ state, notBefore, notAfter }: KeyView): string {
  const nowMs = clock.unixMs();
  if (state !== 'primary' && state !== 'accept') return state;
  if (nowMs < (parseTimestamp(notBefore ?? '') ?? -Infinity)) return `${state}, not yet valid`;
  return nowMs < (parseTimestamp(notAfter ?? '') ?? Infinity) ? state : `${state}, expired`;
}

function timeOf(moment: string | null): string {
  return moment === null ? '-' : moment.replace('.000Z', 'Z');
}
