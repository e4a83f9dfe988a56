// Finds the verb in the arguments. The options of all verbs may also be before it, and between its two words.
import { UsageError } from './failure.js';
import { COMMON_FLAGS } from './input.js';
import type { Verb } from './verb.js';

export type Command =
  | { readonly kind: 'verb'; readonly verb: Verb; readonly rest: readonly string[] }
  /** The help of all verbs, or of those that begin with the word `group`. */
  | { readonly kind: 'overview'; readonly group: string };

/**
 * Finds the verb and its arguments. `help VERB` is `VERB --help`.
 *
 * @throws {UsageError} There is no such verb.
 */
export function parseCommand(args: readonly string[], verbs: readonly Verb[]): Command {
  const given = args[0] === 'help' ? ['--help', ...args.slice(1)] : args;
  const flags: string[] = [];
  const words: string[] = [];
  for (const [at, arg] of given.entries()) {
    if (COMMON_FLAGS.has(arg)) {
      flags.push(arg);
      continue;
    }
    words.push(arg);
    const name = words.join(' ');
    const verb = verbs.find((one) => one.name === name);
    if (verb !== undefined) return { kind: 'verb', verb, rest: [...flags, ...given.slice(at + 1)] };
    if (!isGroup(name, verbs)) break;
  }
  const group = words.join(' ');
  const isKnown = group === '' || isGroup(group, verbs);
  if (isKnown && flags.some((flag) => flag !== '--json')) return { kind: 'overview', group };
  throw noVerb(words, verbs);
}

function noVerb([first = '']: readonly string[], verbs: readonly Verb[]): UsageError {
  const seconds = verbs.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name.split(' ')[1]);
  if (first !== '' && seconds.length > 0)
    return new UsageError(`${first} needs one of these words after it: ${seconds.join(', ')}`);
  const isMissing = first === '' || first.startsWith('-');
  const reason = isMissing ? 'The verb is missing, or one of its options is before it' : 'There is no such verb';
  return new UsageError(`${reason}. See --help`);
}

function isGroup(word: string, verbs: readonly Verb[]): boolean {
  return verbs.some(({ name }) => name.startsWith(`${word} `));
}
