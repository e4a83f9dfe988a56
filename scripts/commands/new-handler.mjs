import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../lib/failure.mjs';
import { controllerText, EXAMPLE_BODY, specText } from '../lib/handler-templates.mjs';
import { addToModule } from '../lib/module-text.mjs';
import { findPattern } from '../lib/patterns.mjs';
import { installMissing } from '../lib/prepare.mjs';
import { curlLine, readEnvironment, readListeners } from '../lib/settings.mjs';
import { ROOT } from '../lib/tool.mjs';

const SOURCES = 'apps/server/src';
const MESSAGES = `${SOURCES}/messages`;
const MODULE = `${MESSAGES}/messages.module.ts`;

const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const MAX_NAME_LENGTH = 50;

/** Names that a folder cannot have: .gitignore leaves them out, or Windows does not allow them. */
const RESERVED = /^(?:coverage|dist|aux|con|nul|prn|com\d|lpt\d)$/;

/** `npm run new:handler`: writes a handler with its test, and adds it to the server. */
export async function command(stop, { positionals }) {
  const names = namesOf(positionals[0]);
  await checkFree(names.pattern);
  for (const path of await writeHandler(names, await prettierOf(stop))) console.log(`Made ${path}`);
  console.log(`Added ${names.className} to ${MODULE}`);
  const env = await readEnvironment();
  const { url } = readListeners(env).trigger;
  console.log(`Try, after \`npm start\`: ${curlLine(url, `/send/${names.pattern}`, EXAMPLE_BODY, env)}`);
  return 0;
}

/** @param {string} pattern */
function namesOf(pattern) {
  const shown = JSON.stringify(pattern);
  if (!NAME.test(pattern) || pattern.length > MAX_NAME_LENGTH)
    throw new Failure(
      `${shown} is not a name for a handler; expected small letters and digits, in words with a dash between them, such as order-total, and at most ${MAX_NAME_LENGTH} characters.`,
    );
  if (RESERVED.test(pattern)) throw new Failure(`${shown} is a reserved word: choose another name.`);
  const words = pattern.split('-').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return { pattern, className: `${words.join('')}Controller` };
}

async function checkFree(pattern) {
  const folder = `${MESSAGES}/${pattern}`;
  if (existsSync(join(ROOT, folder))) throw new Failure(`${folder} already exists: choose another name.`);
  const taken = await findPattern(join(ROOT, SOURCES), pattern);
  if (taken !== undefined)
    throw new Failure(`The pattern ${pattern} has a handler in ${SOURCES}/${taken}: choose another name.`);
}

/** Formats as `npm run format` does. */
async function prettierOf(stop) {
  await installMissing(stop);
  const { format, resolveConfig } = await import('prettier');
  const filepath = join(ROOT, MODULE);
  const config = await resolveConfig(filepath);
  return (text) => format(text, { ...config, filepath });
}

/** Writes all of it, or nothing. */
async function writeHandler(names, format) {
  const { pattern, className: name } = names;
  const folder = `${MESSAGES}/${pattern}`;
  const written = `${MESSAGES}/.${pattern}.module.ts`;
  const before = await readFile(join(ROOT, MODULE), 'utf8');
  const addition = { name, from: `./${pattern}/${pattern}.controller.js`, list: 'controllers' };
  const files = [
    [`${folder}/${pattern}.controller.ts`, await format(controllerText(names))],
    [`${folder}/${pattern}.controller.spec.ts`, await format(specText(names))],
    [written, await format(addToModule(before, addition, MODULE))],
  ];
  await mkdir(join(ROOT, folder));
  try {
    for (const [path, text] of files) await writeFile(join(ROOT, path), text);
    // Last, and in one step: until then nothing refers to what was written.
    await rename(join(ROOT, written), join(ROOT, MODULE));
  } catch (error) {
    await Promise.all([folder, written].map((path) => rm(join(ROOT, path), { recursive: true, force: true })));
    throw error;
  }
  return files.slice(0, 2).map(([path]) => path);
}
