import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const text = readFileSync(join(ROOT, 'docs', 'architecture.md'), 'utf8');

/** Paths of files as the page writes them: without the folder of the library and its `src`. */
const sources = ['libs', 'apps'].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((workspace) => existsSync(join(ROOT, folder, workspace, 'src')))
    .flatMap((workspace) =>
      readdirSync(join(ROOT, folder, workspace, 'src'), { recursive: true, encoding: 'utf8' }).map(
        (path) => `${workspace}/${path}`,
      ),
    ),
);

const named = (pattern: RegExp): readonly string[] => [
  ...new Set([...text.matchAll(pattern)].map(([, name = '']) => name)),
];

describe('docs/architecture.md', () => {
  it('names only source files that exist, each by enough of its path to find one file', () => {
    const files = named(/`((?!(?:libs|apps|test|docs|clients)\/)[\w/-]+(?:\.\w+)*\.ts)`/g);
    expect(files.length).toBeGreaterThan(40);
    const matches = files.map((file) => [file, sources.filter((path) => `/${path}`.endsWith(`/${file}`))] as const);
    expect(matches.filter(([, found]) => found.length !== 1)).toEqual([]);
  });

  it('names only folders and other files that exist', () => {
    const paths = named(/`((?:libs|apps|test|docs|clients)\/[\w./-]+)`/g);
    expect(paths.length).toBeGreaterThan(10);
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('names only folders of libraries that exist', () => {
    const folders = named(/`((?:channel|crypto|transport|brokers)\/[\w/-]+)`/g);
    expect(folders.length).toBeGreaterThan(3);
    expect(folders.filter((folder) => !sources.includes(folder))).toEqual([]);
  });

  it('lists every folder of the libraries', () => {
    const layers = readdirSync(join(ROOT, 'libs')).flatMap((library) =>
      readdirSync(join(ROOT, 'libs', library, 'src'), { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && readdirSync(join(entry.parentPath, entry.name)).length > 0)
        .map((entry) => `libs/${library}/src/${entry.name}`),
    );
    expect(layers.filter((layer) => !text.includes(`\`${layer}\``))).toEqual([]);
  });
});
