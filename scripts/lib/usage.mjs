import { parseArgs } from 'node:util';
import { Failure } from './failure.mjs';

const HELP = { summary: 'prints this text' };

/** Returns whether the arguments ask for the help; after `--` there are only values. */
export function asksForHelp(args) {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? args.length : end).some((arg) => arg === '--help' || arg === '-h');
}

/** Returns the text of `--help`. @returns {string} */
export function formatUsage({ script, arguments: names, summary, options, example }) {
  const given = options === undefined ? ['[ARGUMENTS]'] : [names, '[OPTIONS]'].filter((part) => part !== undefined);
  const rows = Object.entries({ ...options, help: HELP }).map(([name, option]) => [headingOf(name, option), option]);
  const width = Math.max(...rows.map(([heading]) => heading.length));
  const lines = rows.map(([heading, option]) => `  ${heading.padEnd(width)}  ${option.summary}`);
  return [`Usage: ${script} -- ${given.join(' ')}`, '', summary, '', ...lines, '', 'Example:', `  ${example}`].join(
    '\n',
  );
}

function headingOf(name, { value }) {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

/**
 * Parses the options and arguments of a command.
 *
 * @param {readonly string[]} args
 * @throws {Failure} An option is unknown or lacks its value, or there are too many or too few arguments.
 */
export function parseInput(usage, args) {
  const options = Object.entries(usage.options).map(([name, { value, multiple = false, default: standard }]) => [
    name,
    { type: value === undefined ? 'boolean' : 'string', multiple, default: standard },
  ]);
  try {
    const { values, positionals } = parseArgs({ args, options: Object.fromEntries(options), allowPositionals: true });
    checkCount(usage, positionals.length);
    return { values, positionals };
  } catch (error) {
    throw new Failure(`${error.message.split(/\. |\n/)[0]}: see \`${usage.script} -- --help\`.`);
  }
}

function checkCount({ arguments: names = '' }, count) {
  const all = names.split(' ').filter((name) => name !== '');
  const needed = all.filter((name) => !name.startsWith('['));
  if (count < needed.length) throw new Failure(`The argument ${needed[count]} is missing`);
  if (count > all.length && !names.endsWith('…'))
    throw new Failure(`There are ${count} arguments; expected ${all.length}`);
}
