import { describe, INTERRUPTED, Interrupted, UsageError, USAGE } from './failure.js';
import { helpOf, overview, readVersion } from './help.js';
import { Input } from './input.js';
import type { Environment } from './input.js';
import { printable } from './terminal.js';
import type { Terminal } from './terminal.js';
import type { Verb } from './verb.js';
import { VERBS } from './verbs.js';

export interface Call {
  /** The arguments after the program. */
  readonly args: readonly string[];
  readonly environment: Environment;
  readonly terminal: Terminal;
  /** As the user has called the program, for the help. */
  readonly program: string;
}

/** Runs one command. Never rejects. @returns The exit code. */
export async function run(call: Call): Promise<number> {
  const { args, environment, terminal, program } = call;
  const [first = ''] = args;
  try {
    if (args.length === 0) {
      terminal.print(overview(program, VERBS));
      return USAGE;
    }
    if (['--help', '-h', 'help'].includes(first)) return printed(terminal, overview(program, VERBS));
    if (['--version', '-v'].includes(first)) return printed(terminal, readVersion());
    const { verb, rest } = findVerb(args);
    const input = new Input(verb, rest, environment);
    if (input.flag('help')) return printed(terminal, helpOf(program, verb));
    const { run: runVerb } = await verb.load();
    const { text, json, exitCode = 0 } = await runVerb(input, terminal);
    const output = input.flag('json') ? JSON.stringify(json) : text;
    if (output !== undefined && output !== '') terminal.print(output);
    return exitCode;
  } catch (error) {
    return report(error, terminal, args.includes('--json'));
  }
}

function printed(terminal: Terminal, text: string): number {
  terminal.print(text);
  return 0;
}

function findVerb(args: readonly string[]): { readonly verb: Verb; readonly rest: readonly string[] } {
  const [first = '', second = ''] = args;
  for (const words of [2, 1]) {
    const verb = VERBS.find(({ name }) => name === args.slice(0, words).join(' '));
    if (verb !== undefined) return { verb, rest: args.slice(words) };
  }
  const group = VERBS.filter(({ name }) => name.startsWith(`${first} `));
  if (group.length > 0 && ['--help', '-h', ''].includes(second))
    throw new UsageError(`${first} needs a second word: ${group.map(({ name }) => name.split(' ')[1]).join(', ')}`);
  throw new UsageError('There is no such verb: see --help');
}

function report(error: unknown, terminal: Terminal, isJson: boolean): number {
  if (error instanceof Interrupted) return INTERRUPTED;
  const { code, message, exitCode, facts } = describe(error);
  if (isJson) terminal.print(JSON.stringify({ error: { code, message: printable(message), ...facts } }));
  else terminal.warn(exitCode === USAGE ? message : `${message} (${code})`);
  return exitCode;
}
