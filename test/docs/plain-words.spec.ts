// The words that CONTRIBUTING.md, "Plain English", replaces by plainer ones: none of them is left.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');

const WORDS: Readonly<Record<string, RegExp>> = {
  'a sentence that starts with Who or What': /\b(?:Who|Whoever|Whose|What|Whatever) [a-z][^.?!]*(?:[.!]|$)/g,
  'tells, told, hears or heard': /\b(?:tells|told|hears|heard)\b/gi,
  'he, his or him': /\b(?:he|his|him|himself)\b/gi,
  anew: /\banew\b/gi,
  'is no number': /(?<!\bthere )\b(?:is|are) (?:none\b|no (?!longer|more)[a-z`])/gi,
  'in good order': /\bgood order\b/gi,
  'so few that': /\bso (?:few|many|much|seldom|rarely|long) that\b/gi,
};

/** In the name of a test a condition says "if". */
const WORDS_OF_NAMES: readonly RegExp[] = [...Object.values(WORDS), /\bwhere (?:it|there|nothing|nobody|no)\b/gi];

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

function filesBelow(folder: string, isWanted: (name: string) => boolean): readonly string[] {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => !/node_modules|dist\//.test(name) && isWanted(name)).map((name) => join(folder, name));
}

const isDocument = (name: string): boolean => name.endsWith('.md');
const isSource = (name: string): boolean => /\/src\/.*\.ts$/.test(`/${name}`) && !name.endsWith('.spec.ts');
const isTest = (name: string): boolean => name.endsWith('.spec.ts');
const isPartOfTest = (name: string): boolean => name.endsWith('.ts') && !name.endsWith('plain-words.spec.ts');

/** Sentences alone: no code, no headings, and no words in quotes. */
function proseOf(document: string): string {
  const text = document.replaceAll(/^```[^]*?^```$/gm, '').replaceAll(/^#.*$/gm, '');
  return text.replaceAll(/`[^`\n]*`|"[^"\n]*"/g, '`code`');
}

/** Comments and strings as they are in the source. */
function partsOf(source: string): readonly string[] {
  return source.match(/\/\*[^]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g) ?? [];
}

const isString = (part: string): boolean => /^['`]/.test(part);

/** A comment or a string as one line, without the code in a template. */
function textOf(part: string): string {
  const text = isString(part) ? part.replaceAll(/\$\{[^}]*\}/g, 'x') : part;
  return text.replaceAll(/^['`/* ]+|['`/* ]+$/g, '').replaceAll(/\n[ *]*/g, ' ');
}

function count(texts: readonly string[]): Readonly<Record<string, number>> {
  const numbers = Object.entries(WORDS).map(([name, pattern]) => {
    const found = texts.flatMap((text) => text.match(pattern) ?? []);
    return [name, found.length] as const;
  });
  return Object.fromEntries(numbers.filter(([, number]) => number > 0));
}

const documents = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'].concat(
  ['docs', 'libs', 'apps', 'clients'].flatMap((folder) => filesBelow(folder, isDocument)),
);

describe('plain English', () => {
  it.each(documents)('%s contains no word of the list', (document) => {
    expect(count([proseOf(read(document))])).toEqual({});
  });

  it('the sources contain no word of the list', () => {
    const sources = ['libs', 'apps'].flatMap((folder) => filesBelow(folder, isSource));
    expect(sources.length).toBeGreaterThan(100);
    expect(count(sources.flatMap((file) => partsOf(read(file)).map(textOf)))).toEqual({});
  });

  it('the names of tests and faults contain no word of the list', () => {
    const tests = ['libs', 'apps'].flatMap((folder) => filesBelow(folder, isTest));
    const names = (file: string): readonly string[] => partsOf(read(file)).filter(isString).map(textOf);
    expect(tests.length).toBeGreaterThan(100);
    const texts = tests.concat(filesBelow('test', isPartOfTest)).flatMap(names);
    expect(texts.filter((text) => WORDS_OF_NAMES.some((word) => text.search(word) >= 0))).toEqual([]);
  });
});
