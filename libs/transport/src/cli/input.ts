import { parseArgs } from 'node:util';

import { isKeyText } from '@sealwire/crypto';

import { UsageError } from './failure.js';
import type { Verb, VerbOption } from './verb.js';

/** The options that every verb has. */
export const COMMON_OPTIONS: Readonly<Record<string, VerbOption>> = {
  json: { summary: 'prints JSON, one value on each line' },
  help: { summary: 'prints this text' },
};

/** As they are written on the command line. */
export const COMMON_FLAGS: ReadonlySet<string> = new Set(['--json', '--help', '-h']);

type Value = string | boolean | readonly (string | boolean)[] | undefined;
export type Environment = Readonly<Record<string, string | undefined>>;

/** The arguments and options of one verb. */
export class Input {
  readonly #verb: Verb;
  readonly #values: Readonly<Record<string, Value>>;
  readonly #arguments: readonly string[];
  readonly #environment: Environment;

  /** @throws {UsageError} An unknown option, a missing value, too few or too many arguments. */
  constructor(verb: Verb, args: readonly string[], environment: Environment) {
    const { values, positionals } = parse(verb, args);
    this.#verb = verb;
    this.#values = values;
    this.#arguments = positionals;
    this.#environment = environment;
    if (this.flag('help')) return;
    const needed = verb.arguments.filter((name) => !name.startsWith('['));
    const missing = needed[positionals.length];
    if (missing !== undefined) throw this.usage(`${missing} is missing`);
    const empty = [...needed.filter((_, at) => positionals[at] === ''), ...emptyOptions(values)][0];
    if (empty !== undefined) throw this.usage(`${empty} is empty`);
    if (positionals.length > verb.arguments.length) throw this.usage('There are too many arguments');
    this.#checkForKeys(args);
  }

  /** Returns an argument by its name. */
  argument(name: string): string {
    return this.#arguments[this.#verb.arguments.indexOf(name)] ?? '';
  }

  /** Returns an argument that may be missing. @param name - With its brackets. */
  optional(name: string): string | undefined {
    return this.#arguments[this.#verb.arguments.indexOf(name)];
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  /** Returns the value of an option, or of its environment variable. An empty one counts as missing. */
  text(name: string): string | undefined {
    const value = this.#values[name];
    if (typeof value === 'string') return value;
    const variable = this.#verb.options[name]?.env;
    const fallback = variable === undefined ? undefined : this.#environment[variable];
    return fallback === '' ? undefined : fallback;
  }

  /** Returns the values of an option that may be given several times; undefined if there is none. */
  texts(name: string): readonly string[] | undefined {
    const values = this.#values[name];
    return Array.isArray(values) ? values.map(String) : undefined;
  }

  /** Returns one of several words. @throws {UsageError} */
  oneOf<Word extends string>(name: string, words: readonly [Word, ...Word[]]): Word {
    const [standard] = words;
    const text = this.text(name) ?? standard;
    const found = words.find((word) => word === text);
    if (found === undefined) throw this.usage(`--${name} has an unknown value; expected ${words.join(' or ')}`);
    return found;
  }

  usage(reason: string): UsageError {
    return new UsageError(`${reason}. See --help`);
  }

  /** Refuses a key that was given in place of its file: the list of processes shows it, and perhaps the history. */
  #checkForKeys(args: readonly string[]): void {
    const data = this.#arguments[this.#verb.arguments.indexOf('[JSON]')];
    const isKey = args.some((arg) => arg !== data && (isKeyText(arg) || isKeyText(arg.slice(arg.indexOf('=') + 1))));
    if (isKey) throw this.usage('An argument looks like a key and is not shown; expected the path of a key file');
  }
}

/** Returns the options whose value is empty, as of a variable of a script that is not set. */
function emptyOptions(values: Readonly<Record<string, Value>>): readonly string[] {
  const names = Object.keys(values).filter((name) => [values[name]].flat().includes(''));
  return names.map((name) => `--${name}`);
}

function parse(verb: Verb, args: readonly string[]): ReturnType<typeof parseArgs> {
  const options = Object.entries({ ...verb.options, ...COMMON_OPTIONS }).map(([name, option]) => {
    const { value, multiple = false } = option;
    const short = name === 'help' ? { short: 'h' } : {};
    return [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), multiple, ...short },
    ] as const;
  });
  try {
    return parseArgs({ args: [...args], options: Object.fromEntries(options), allowPositionals: true });
  } catch (error) {
    if (args.some((arg) => isKeyText(arg.replace(/^-+/, ''))))
      throw new UsageError('An argument looks like a key and is not shown. See --help');
    const [sentence = ''] = error instanceof Error ? error.message.split(/\. |\n/) : [];
    throw new UsageError(`${sentence.replace(/\.$/, '')}. See --help`);
  }
}
