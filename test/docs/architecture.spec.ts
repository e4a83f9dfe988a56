import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const text = readFileSync(join(ROOT, 'docs', 'architecture.md'), 'utf8');

const sources = ['libs', 'apps'].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .map((workspace) => join(ROOT, folder, workspace, 'src'))
    .filter((path) => existsSync(path))
    .flatMap((path) => readdirSync(path, { recursive: true, encoding: 'utf8' })),
);

const named = (pattern: RegExp): readonly string[] => [
  ...new Set([...text.matchAll(pattern)].map(([, name = '']) => name)),
];

describe('docs/architecture.md', () => {
  it('names only source files that exist', () => {
    const existing = new Set(sources.map((path) => basename(path)));
    const files = named(/`([\w-]+\.ts)`/g);
    expect(files.length).toBeGreaterThan(40);
    expect(files.filter((file) => !existing.has(file))).toEqual([]);
  });

  it('names only folders that exist', () => {
    const folders = named(/`((?:libs|apps|test|docs|clients)\/[\w./-]+)`/g);
    expect(folders.length).toBeGreaterThan(10);
    expect(folders.filter((folder) => !existsSync(join(ROOT, folder)))).toEqual([]);
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
