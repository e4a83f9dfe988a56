import { parseCommand } from './command.js';
import { describe, INTERRUPTED, Interrupted, USAGE } from './failure.js';
import { helpOf, overview, readVersion } from './help.js';
import { Input } from './input.js';
import type { Environment } from './input.js';
import { printable } from './terminal.js';
import type { Terminal } from './terminal.js';
import { VERBS } from './verbs.js';

export interface Call {
  /** The arguments after the program. */
  readonly args: readonly string[];
  readonly environment: Environment;
  readonly terminal: Terminal;
  /** As the user has called the program, for the help. */
  readonly program: string;
}

/** As the texts of errors call the program. */
const NAME_IN_ERRORS = 'npx sealwire';

/** Runs one command. Never rejects. @returns The exit code. */
export async function run(call: Call): Promise<number> {
  const { args, environment, terminal, program } = call;
  const [first = ''] = args;
  try {
    if (args.length === 0) {
      terminal.print(overview(program, VERBS));
      return USAGE;
    }
    if (['--version', '-v'].includes(first)) return printed(terminal, readVersion());
    const command = parseCommand(args, VERBS);
    if (command.kind === 'overview') return printed(terminal, overview(program, VERBS, command.group));
    const { verb, rest } = command;
    const input = new Input(verb, rest, environment);
    if (input.flag('help')) return printed(terminal, helpOf(program, verb));
    const { run: runVerb } = await verb.load();
    const { text, json, exitCode = 0 } = await runVerb(input, terminal);
    const output = withName(call, input.flag('json') && json !== undefined ? printable(JSON.stringify(json)) : text);
    if (output !== '') terminal.print(output);
    return exitCode;
  } catch (error) {
    return report(error, call);
  }
}

function printed(terminal: Terminal, text: string): number {
  terminal.print(text);
  return 0;
}

function report(error: unknown, call: Call): number {
  if (error instanceof Interrupted) return INTERRUPTED;
  const { args, terminal } = call;
  const { code, message: text, exitCode, facts } = describe(error);
  const message = withName(call, text);
  if (args.includes('--json')) terminal.print(printable(JSON.stringify({ error: { code, message, ...facts } })));
  else terminal.warn(exitCode === USAGE ? message : `${message} (${code})`);
  return exitCode;
}

/** Returns a text with the commands in it as this user has to enter them. */
function withName({ program }: Call, text: string): string {
  return program === 'sealwire' ? text : text.replaceAll(NAME_IN_ERRORS, program);
}
