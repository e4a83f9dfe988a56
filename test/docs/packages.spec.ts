// What the packages of the libraries say about themselves: the same of all, as far as it is not their own.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly keywords: readonly string[];
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly typesVersions?: { readonly '*': Readonly<Record<string, readonly string[]>> };
  readonly repository?: { readonly url: string; readonly directory: string };
  readonly homepage?: string;
  readonly bugs?: { readonly url: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

const LIBRARIES = fileURLToPath(new URL('../../libs/', import.meta.url));
const COMMON_KEYWORDS = ['sealwire', 'encryption', 'a128cbc-hs256'];

const read = (path: string): string => readFileSync(`${LIBRARIES}/${path}`, 'utf8');
const root = JSON.parse(read('../package.json')) as Manifest;
const names = readdirSync(LIBRARIES);
const manifests = names.map((name) => [name, JSON.parse(read(`${name}/package.json`)) as Manifest] as const);

/** A package of ours with all that it needs of ours. */
function withDependencies(name: string): readonly string[] {
  const manifest = manifests.find(([, { name: known }]) => known === name)?.[1];
  const needed = Object.keys(manifest?.dependencies ?? {}).filter((dependency) => dependency.startsWith('@sealwire/'));
  return [...new Set([name, ...needed.flatMap(withDependencies)])];
}

describe('the documents, while the packages are not published', () => {
  const documents = [
    'README.md',
    ...readdirSync(`${LIBRARIES}/../docs`).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
    ...names.map((name) => `libs/${name}/README.md`),
  ].map((path) => ({ path, text: read(`../${path}`) }));

  it('say so wherever they install a package, and in the README of each library', () => {
    const installing = documents.filter(({ path, text }) =>
      /npm install [^`\n]*@sealwire\/|^libs/m.test(`${path}\n${text}`),
    );
    expect(installing.length).toBeGreaterThan(names.length);
    const silent = installing.filter(({ text }) => !/not published yet|Once they are published/.test(text));
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('pack every package with those that it needs', () => {
    const commands = documents.flatMap(({ text }) => text.match(/^npm pack .*$/gm) ?? []);
    const packed = commands.map((command) => [...command.matchAll(/--workspace (\S+)/g)].map(([, name = '']) => name));
    for (const packages of packed) expect(packages).toEqual(expect.arrayContaining(packages.flatMap(withDependencies)));
    expect(new Set(packed.flat())).toEqual(new Set(manifests.map(([, { name }]) => name)));
  });
});

describe('the packages of the libraries', () => {
  it('agree on what is not their own', () => {
    for (const [name, manifest] of manifests) {
      expect(manifest).toMatchObject({
        name: `@sealwire/${name}`,
        version: root.version,
        license: root['license'],
        engines: root['engines'],
        type: 'module',
        sideEffects: false,
        main: './dist/index.js',
        types: './dist/index.d.ts',
        files: ['dist', 'src', '!**/*.spec.*', '!**/*.tsbuildinfo'],
        publishConfig: { access: 'public', provenance: true },
      });
      expect(manifest).not.toHaveProperty('private');
      expect(manifest.description).toMatch(/^[A-Z].{40,}\.$/);
      expect(manifest.keywords.slice(0, COMMON_KEYWORDS.length)).toEqual(COMMON_KEYWORDS);
      expect(new Set(manifest.keywords).size).toBe(manifest.keywords.length);
    }
  });

  it('depend on each other in the same version', () => {
    const dependencies = manifests.flatMap(([, manifest]) => Object.entries(manifest.dependencies ?? {}));
    const own = dependencies.filter(([name]) => name.startsWith('@sealwire/'));
    expect(own.filter(([, version]) => version !== root.version)).toEqual([]);
    expect(own).not.toEqual([]);
  });

  it('name one repository, each with its folder, or none', () => {
    const urls = new Set(manifests.map(([, { repository }]) => repository?.url));
    expect(urls.size).toBe(1);
    for (const [name, { repository, homepage, bugs }] of manifests) {
      const isNamed = repository !== undefined;
      expect([homepage !== undefined, bugs !== undefined]).toEqual([isNamed, isNamed]);
      if (isNamed) expect(repository.directory).toBe(`libs/${name}`);
    }
  });

  it.each(manifests)('%s has its types and its sources for every entry point', (name, manifest) => {
    for (const [path, entry] of Object.entries(manifest.exports)) {
      if (typeof entry === 'string') continue;
      const stem = (entry['@sealwire/source'] ?? '').replace('./src/', '').replace(/\.ts$/, '');
      expect(existsSync(`${LIBRARIES}/${name}/src/${stem}.ts`)).toBe(true);
      expect(entry).toEqual({
        '@sealwire/source': `./src/${stem}.ts`,
        types: `./dist/${stem}.d.ts`,
        default: `./dist/${stem}.js`,
      });
      // The resolution of TypeScript that does not read `exports`.
      if (path !== '.') expect(manifest.typesVersions?.['*'][path.slice(2)]).toEqual([`./dist/${stem}.d.ts`]);
    }
    expect(manifest.exports).toHaveProperty(['./package.json'], './package.json');
  });

  it.each(names)('%s has the license of the project, and a README that names the package', (name) => {
    expect(read(`${name}/LICENSE`)).toBe(read('../LICENSE'));
    expect(read(`${name}/README.md`).startsWith(`# @sealwire/${name}\n`)).toBe(true);
  });
});
