import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Failure, oneLine } from './failure.mjs';
import { Progress } from './progress.mjs';
import { ROOT, runTool } from './tool.mjs';

/**
 * Brings a clone into the state that the lock file and the sources describe: installs what is missing, and builds.
 *
 * @param {AbortSignal} stop
 * @param {readonly string[]} projects - The projects to build. Default: everything that the apps need.
 */
export async function prepare(stop, ...projects) {
  await installMissing(stop);
  await announced('Building', () => build(projects.length === 0 ? [ROOT] : projects, stop));
}

/** Installs the packages if they are not those of the lock file. @param {AbortSignal} stop */
export async function installMissing(stop) {
  if (!(await isInstalled())) await announced('Installing what is missing (npm ci)', () => install(stop));
}

/** Returns whether node_modules has the packages of package-lock.json. At its end, npm notes what it has installed. */
async function isInstalled() {
  const [wanted, installed] = await Promise.all([
    readPackages(join(ROOT, 'package-lock.json')),
    readPackages(join(ROOT, 'node_modules', '.package-lock.json')),
  ]);
  if (wanted === undefined) throw new Failure('package-lock.json is missing or damaged: restore it, then try again.');
  if (installed === undefined) return false;
  return Object.entries(wanted).every(([path, wants]) => {
    const has = installed[path];
    if (has === undefined) return path === '' || wants.optional === true || wants.devOptional === true;
    return has.version === wants.version && has.integrity === wants.integrity;
  });
}

async function readPackages(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

async function install(stop) {
  // The compiler is a development dependency, also where NODE_ENV=production is set.
  const [command, ...args] = [...npmCommand(), 'ci', '--include=dev', '--loglevel=error', '--no-audit', '--no-fund'];
  const { code, output } = await runTool(command, args, stop).catch((error) => {
    if (error.code === 'ENOENT')
      throw new Failure('npm was not found: install it (it comes with Node), then try again.');
    throw error;
  });
  if (code === 0) return;
  const lines = [...output.matchAll(/^npm (?:error|ERR!) (.+)$/gm)].map((match) => match[1]);
  const reason = lines.find((line) => line.startsWith('code '))?.slice('code '.length) ?? `exit code ${code}`;
  const detail = lines.find((line) => !/^(?:code|errno|syscall|path|type|dest) /.test(line)) ?? '';
  throw new Failure(`Installing failed (${reason}; \`npm ci\` shows the whole output): ${oneLine(detail)}`);
}

/** Returns the npm that runs this script, or the first one in the PATH. */
export function npmCommand() {
  const running = process.env.npm_execpath ?? '';
  return basename(running) === 'npm-cli.js' ? [process.execPath, running] : ['npm'];
}

async function build(projects, stop) {
  const complaint = await compile(['-b', ...projects], stop);
  if (complaint !== undefined)
    throw new Failure(`Building failed (\`npm run build\` shows the whole output): ${complaint}`);
}

/**
 * Runs the compiler.
 *
 * @param {readonly string[]} args - for the compiler
 * @param {AbortSignal} stop
 * @returns {Promise<string | undefined>} The first error, and how many more there are; undefined if there is none.
 */
export async function compile(args, stop) {
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const { code, output } = await runTool(process.execPath, [compiler, ...args, '--pretty', 'false'], stop);
  if (code === 0) return undefined;
  const errors = output.split('\n').filter((line) => line.includes('error TS'));
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return `${errors[0] ?? oneLine(output)}${more}`;
}

async function announced(what, work) {
  const progress = new Progress();
  progress.show(`${what} …`);
  try {
    return await work();
  } finally {
    progress.clear();
  }
}
