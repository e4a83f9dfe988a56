import type { Input } from '../input.js';
import { parseJson, parsePattern } from '../pattern.js';
import type { Terminal } from '../terminal.js';

const MAX_INPUT_BYTES = 4_194_304;
const STANDARD_INPUT = '-';

/** The message of a command. */
export interface Message {
  readonly pattern: string;
  /** Undefined if the command has none. */
  readonly data: unknown;
}

/** Reads the arguments PATTERN and [JSON]; `-` stands for standard input. */
export async function readMessage(input: Input, terminal: Terminal): Promise<Message> {
  const pattern = parsePattern(input.argument('PATTERN'));
  const given = input.optional('[JSON]');
  if (given === undefined) return { pattern, data: undefined };
  const text = given === STANDARD_INPUT ? String(await terminal.readAll(MAX_INPUT_BYTES)) : given;
  return { pattern, data: parseJson(given === STANDARD_INPUT ? 'Standard input' : 'The argument JSON', text) };
}
