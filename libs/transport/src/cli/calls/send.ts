import type { Input } from '../input.js';
import type { Terminal } from '../terminal.js';
import type { Result } from '../verb.js';
import { call } from './one-call.js';
import { withConnection } from './connection.js';
import { readMessage } from './message.js';
import { formatValue, toJson } from './value.js';

/** Prints the last value of the answer, as `firstValueFrom` of an answer with one value. */
export async function run(input: Input, terminal: Terminal): Promise<Result> {
  const message = await readMessage(input, terminal);
  return withConnection(input, terminal, async ({ link, server, leftMs, stop }) => {
    let answer: unknown;
    let count = 0;
    const onValue = (value: unknown): void => {
      answer = value;
      count += 1;
    };
    await call(link, { kind: 'REQUEST', ...message, timeoutMs: leftMs, stop, onValue });
    if (count > 1) terminal.warn(`The answer had ${count} values; this is the last one (sealwire stream prints all)`);
    return { json: { server, answer: toJson(answer), values: count }, text: count === 0 ? '' : formatValue(answer) };
  });
}
