import type { Input } from '../input.js';
import type { Terminal } from '../terminal.js';
import type { Result } from '../verb.js';
import { withKeys } from './key-view.js';

/** Prints the ids alone, the primary one first, so that the output of two hosts can be compared. */
export async function run(input: Input, terminal: Terminal): Promise<Result> {
  return withKeys(input, terminal, ({ form, entries }) => {
    const isFirst = (at: number): number => (entries[at]?.state === 'primary' ? 0 : 1);
    const order = [...entries.keys()].toSorted((one, other) => isFirst(one) - isFirst(other));
    const kids = order.flatMap((at) => entries[at]?.key.id ?? []);
    return { json: { file: input.argument('FILE'), form, kids }, text: kids.join('\n') };
  });
}
