import type { Input } from '../input.js';
import { printable } from '../terminal.js';
import type { Terminal } from '../terminal.js';
import type { Result } from '../verb.js';
import { call } from './one-call.js';
import { withConnection } from './connection.js';
import { readMessage } from './message.js';
import { formatValue, toJson } from './value.js';

/** Everything is printed already. */
const SILENT = { text: '', json: undefined };

/** Prints each value when it arrives, until the answer ends or Ctrl-C. Without --timeout, it may take for ever. */
export async function run(input: Input, terminal: Terminal): Promise<Result> {
  const message = await readMessage(input, terminal);
  const isJson = input.flag('json');
  const onValue = (value: unknown): void =>
    terminal.print(isJson ? printable(JSON.stringify({ value: toJson(value) })) : formatValue(value));
  return withConnection(input, terminal, async ({ link, leftMs, stop }) => {
    const timeoutMs = input.text('timeout') === undefined ? 0 : leftMs;
    await call(link, { kind: 'REQUEST', ...message, timeoutMs, stop, onValue });
    return SILENT;
  });
}
