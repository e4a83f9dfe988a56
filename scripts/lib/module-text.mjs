import { Failure } from './failure.mjs';

const IMPORT = /^import (?:type )?\{[^}]*\} from '([^']+)';$/gm;
const NAME = /^[A-Za-z_$][\w$]*$/;

/**
 * Imports a name in the text of a Nest module, adds it to a list such as `controllers`, both in alphabetical order, and
 * returns the new text, not formatted.
 *
 * @param {string} text
 * @param {{ name: string, from: string, list: string }} addition - `from` begins with `./` or `../`
 * @param {string} file - the origin of the text, for failures
 */
export function addToModule(text, { name, from, list }, file) {
  if (new RegExp(String.raw`\b${name}\b`).test(text))
    throw new Failure(`${file} already has ${name}: remove it, or choose another name.`);
  return addToList(addImport(text, name, from, file), name, list, file);
}

function addImport(text, name, from, file) {
  const imports = [...text.matchAll(IMPORT)];
  const last = imports.at(-1);
  if (last === undefined) throw new Failure(`${file} has no imports: add ${name} by hand.`);
  const line = `import { ${name} } from '${from}';`;
  const next = imports.find(([, path]) => path.startsWith('.') && path > from);
  if (next === undefined) return insert(text, last.index + last[0].length, `\n${line}`);
  return insert(text, next.index, `${line}\n`);
}

function addToList(text, name, list, file) {
  const found = new RegExp(String.raw`\b${list}:\s*\[([^\]]*)\]`, 'd').exec(text);
  if (found === null) throw new Failure(`${file} has no list of ${list}: add ${name} by hand.`);
  const [start, end] = found.indices[1];
  const names = found[1].split(',').map((entry) => entry.trim());
  if (names.at(-1) === '') names.pop();
  if (!names.every((entry) => NAME.test(entry)))
    throw new Failure(`The list of ${list} in ${file} contains more than names: add ${name} by hand.`);
  const before = names.findIndex((entry) => entry > name);
  const sorted = before === -1 ? [...names, name] : names.toSpliced(before, 0, name);
  return text.slice(0, start) + sorted.join(', ') + text.slice(end);
}

function insert(text, at, added) {
  return text.slice(0, at) + added + text.slice(at);
}
