import { posix } from 'node:path';

const REQUIRED = ['LICENSE', 'README.md', 'package.json'];
const REBUILD = 'delete libs/*/dist and run `npm run build`';
const MAP_COMMENT = /^\/\/# sourceMappingURL=(\S+)\s*$/m;

/**
 * Returns what is wrong with the files of a package: a missing license, a test, a source map of a missing source.
 *
 * @param {ReadonlyMap<string, string>} files - The texts of the files of a tarball, by their paths in the package.
 * @returns {readonly string[]}
 */
export function checkContents(files) {
  const missing = REQUIRED.filter((name) => !files.has(name)).map((name) => `${name} is missing in the package`);
  const tests = [...files.keys()]
    .filter((path) => path.includes('.spec.'))
    .map((path) => `${path} is a test, and must not be in the package`);
  return [...missing, ...tests, ...[...files].flatMap(([path, text]) => checkSourceMap(path, text, files))];
}

/** Returns the missing targets of a file: its source map, or the sources of a map. */
function checkSourceMap(path, text, files) {
  const targets = path.endsWith('.map') ? JSON.parse(text).sources : (MAP_COMMENT.exec(text)?.slice(1) ?? []);
  return targets
    .map((target) => posix.join(posix.dirname(path), target))
    .filter((target) => !files.has(target))
    .map((target) => `${path} refers to ${target}, which is not in the package: ${REBUILD}`);
}
