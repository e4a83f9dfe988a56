// Every relative link of a document leads to a file, and every `#anchor` to a heading of that file.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const FOLDERS = ['docs', 'libs/crypto', 'libs/channel', 'libs/envelope', 'libs/transport', 'clients/python'];

const documents = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'].concat(
  FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
      .map((name) => join(folder, name)),
  ),
);

const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8').replaceAll(/^```[^]*?^```$/gm, '');

/** The anchor that GitHub gives to a heading. */
function anchorOf(heading: string): string {
  const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
  return text.replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-');
}

function anchorsOf(file: string): ReadonlySet<string> {
  return new Set([...textOf(file).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading)));
}

function isBroken(document: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? document : relative(ROOT, join(ROOT, dirname(document), path));
  if (!existsSync(join(ROOT, target))) return true;
  return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).has(anchor);
}

describe('the links of a document', () => {
  it.each(documents)('%s leads to files and headings that exist', (document) => {
    const links = [...textOf(document).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    const broken = links.filter((link) => !/^[a-z]+:/.test(link) && isBroken(document, link));
    expect(broken).toEqual([]);
  });
});

describe('the comments of the sources', () => {
  const sources = ['libs', 'apps', 'scripts'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(?:ts|mjs)$/.test(name) && !/node_modules|dist\//.test(name))
      .map((name) => readFileSync(join(ROOT, folder, name), 'utf8')),
  );
  const named = (pattern: RegExp): readonly string[] => [
    ...new Set(sources.flatMap((source) => [...source.matchAll(pattern)].map(([, name = '']) => name))),
  ];

  it('name documents that exist, decision records by their numbers too', () => {
    const records = readdirSync(join(ROOT, 'docs', 'adr'));
    const documentsNamed = named(/\b(docs\/[\w./-]+\.md)\b/g);
    expect(documentsNamed.length).toBeGreaterThan(3);
    expect(documentsNamed.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
    const numbers = named(/docs\/adr\/(\d{4})/g);
    expect(numbers.filter((number) => !records.some((record) => record.startsWith(number)))).toEqual([]);
  });

  it('name sections of the protocol that exist', () => {
    const numbers = [...textOf('docs/protocol.md').matchAll(/^#+ (\d+(?:\.\d+)?)[. ]/gm)].map(([, number]) => number);
    const headings = new Set<string | undefined>(numbers);
    const sections = named(/docs\/protocol\.md[^)\n]{0,4}§(\d+(?:\.\d+)?)/g);
    expect(sections.length).toBeGreaterThan(10);
    expect(sections.filter((section) => !headings.has(section))).toEqual([]);
  });
});
