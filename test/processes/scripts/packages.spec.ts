// `npm run packages`: what it finds in a tarball.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './script-run.js';

type CheckContents = (files: ReadonlyMap<string, string>) => readonly string[];

const { checkContents } = (await import(join(ROOT, 'scripts/lib/tarball.mjs'))) as { checkContents: CheckContents };

const complete: Readonly<Record<string, string>> = {
  LICENSE: 'MIT',
  'README.md': '# package',
  'package.json': '{}',
  'dist/key/id.js': 'export {};\n//# sourceMappingURL=id.js.map',
  'dist/key/id.js.map': '{"sources":["../../src/key/id.ts"]}',
  'src/key/id.ts': 'export {};\n',
};

const without = (...paths: readonly string[]): ReadonlyMap<string, string> =>
  new Map(Object.entries(complete).filter(([path]) => !paths.includes(path)));

describe('the check of a tarball', () => {
  it('accepts a package with its license, its README and the sources of its maps', () => {
    expect(checkContents(without())).toEqual([]);
  });

  it.each(['LICENSE', 'README.md', 'package.json'])('misses %s', (name) => {
    expect(checkContents(without(name))).toEqual([`${name} is missing in the package`]);
  });

  it('finds tests', () => {
    const files = new Map([...without(), ['dist/key/id.spec.js', '']]);
    expect(checkContents(files)).toEqual(['dist/key/id.spec.js is a test, and must not be in the package']);
  });

  it('finds a source map without its source, and a file without its source map', () => {
    const remedy = 'delete libs/*/dist and run `npm run build`';
    expect(checkContents(without('src/key/id.ts'))).toEqual([
      `dist/key/id.js.map refers to src/key/id.ts, which is not in the package: ${remedy}`,
    ]);
    expect(checkContents(without('dist/key/id.js.map'))).toEqual([
      `dist/key/id.js refers to dist/key/id.js.map, which is not in the package: ${remedy}`,
    ]);
  });
});
