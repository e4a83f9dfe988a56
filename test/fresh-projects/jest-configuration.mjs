import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../scripts/lib/failure.mjs';
import { ROOT } from '../../scripts/lib/tool.mjs';

/** Adds to a project what docs/migrating.md gives for both of its Jest configurations. */
export async function configureJest(folder) {
  const documented = await readDocumented();
  await change(join(folder, 'package.json'), (manifest) => ({
    ...manifest,
    jest: { ...manifest.jest, ...documented },
  }));
  await change(join(folder, 'test', 'jest-e2e.json'), (jest) => ({ ...jest, ...documented }));
}

async function readDocumented() {
  const text = await readFile(join(ROOT, 'docs', 'migrating.md'), 'utf8');
  const block = /\n### Jest\n.*?\n```json\n(.*?)\n```\n/s.exec(text)?.[1];
  if (block === undefined) throw new Failure('docs/migrating.md has no block of JSON below "### Jest"');
  return JSON.parse(block).jest;
}

async function change(path, edit) {
  await writeFile(path, JSON.stringify(edit(JSON.parse(await readFile(path, 'utf8'))), undefined, 2));
}
