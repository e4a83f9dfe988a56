import { readFileSync } from 'node:fs';

import { COMMON_OPTIONS } from './input.js';
import { formatTable } from './terminal.js';
import type { Verb, VerbOption } from './verb.js';

/** The verbs whose examples begin the help of all verbs. */
const FIRST_STEPS: ReadonlySet<string> = new Set(['keygen', 'keyring list', 'ping']);

/**
 * @param program - As the user has called it: `sealwire`, or `npm run keys --`.
 * @param group - The first word of the verbs to show; empty for all verbs.
 */
export function overview(program: string, verbs: readonly Verb[], group = ''): string {
  const shown = verbs.filter(({ name }) => group === '' || name.startsWith(`${group} `));
  const examples = shown.filter(({ name }) => group !== '' || FIRST_STEPS.has(name));
  const command = group === '' ? program : `${program} ${group}`;
  return [
    `Usage: ${command} VERB [ARGUMENTS] [OPTIONS]`,
    '',
    group === '' ? 'Keys and connections of Sealwire.' : 'The keys of a keyring file.',
    '',
    formatTable(shown.map((verb) => [`  ${synopsis(verb)}`, verb.summary])),
    '',
    ...examplesOf(program, examples),
    '',
    `${command} VERB --help explains a verb. --version prints the version.`,
    'Exit codes: 0 success, 1 failure, 2 wrong usage, 130 after Ctrl-C.',
  ].join('\n');
}

export function helpOf(program: string, verb: Verb): string {
  const rows = Object.entries({ ...verb.options, ...COMMON_OPTIONS }).map(describeOption);
  return [
    `Usage: ${program} ${synopsis(verb)} [OPTIONS]`,
    '',
    `${verb.name} ${verb.summary}.`,
    ...(verb.details === undefined ? [] : ['', verb.details]),
    '',
    formatTable(rows),
    '',
    ...examplesOf(program, [verb]),
  ].join('\n');
}

function examplesOf(program: string, verbs: readonly Verb[]): readonly string[] {
  return [verbs.length === 1 ? 'Example:' : 'Examples:', ...verbs.map(({ example }) => `  ${program} ${example}`)];
}

/** Returns the version of this package. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const manifest: unknown = JSON.parse(text);
  const isManifest = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return isManifest ? String(manifest.version) : 'unknown';
}

function synopsis(verb: Verb): string {
  return [verb.name, ...verb.arguments].join(' ');
}

function describeOption([name, { value, summary, multiple, ...option }]: readonly [
  string,
  VerbOption,
]): readonly string[] {
  const defaults = [option.env && `$${option.env}`, option.default].filter((text) => text !== undefined);
  const notes = [
    ...(defaults.length === 0 ? [] : [`default: ${defaults.join(', or ')}`]),
    ...(multiple === true ? ['may be repeated'] : []),
  ];
  const heading = `  --${name}${value === undefined ? '' : ` ${value}`}`;
  return [heading, notes.length === 0 ? summary : `${summary} (${notes.join('; ')})`];
}
