import { readFile } from 'node:fs/promises';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { filterProblems, problemKindInfo } from '@arethetypeswrong/core/problems';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { checkContents } from './tarball.mjs';

/** npm puts every file into it. */
const FOLDER_OF_TARBALLS = 'package';

/** The ways to resolve an import that can load ES modules. */
const RESOLUTIONS = ['node16-esm', 'bundler'];

/**
 * Returns what is wrong with a packed library.
 *
 * @param {string} name
 * @param {string} path - The path of the tarball.
 * @returns {Promise<readonly string[]>}
 */
export async function checkLibrary(name, path) {
  const tarball = new Uint8Array(await readFile(path));
  const found = createPackageFromTarballData(tarball);
  const files = filesOf(found);
  const complaints = [...checkContents(files), ...(await checkManifest(tarball)), ...(await checkTypes(found))];
  if (complaints.length === 0) console.log(`${name}: ${files.size} files in ${tarball.length} bytes are fine`);
  return complaints.map((complaint) => `${name}: ${complaint}`);
}

function filesOf(found) {
  const folder = `/node_modules/${found.packageName}/`;
  return new Map(found.listFiles().map((path) => [path.slice(folder.length), found.readFile(path)]));
}

async function checkManifest({ buffer }) {
  const { messages, pkg } = await publint({ strict: true, pack: { tarball: buffer }, pkgDir: FOLDER_OF_TARBALLS });
  return messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);
}

async function checkTypes(found) {
  const analysis = await checkPackage(found);
  if (analysis.types === false) return ['its types are missing in the tarball'];
  const problems = RESOLUTIONS.flatMap((resolutionKind) => filterProblems(analysis, { resolutionKind }));
  return problems.map((problem) => {
    const { title, shortDescription } = problemKindInfo[problem.kind];
    return `are the types wrong: ${title}: ${shortDescription}: ${JSON.stringify(problem)}`;
  });
}
