import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Failure, oneLine } from '../lib/failure.mjs';
import { CHECKS } from '../lib/models.mjs';
import { Progress } from '../lib/progress.mjs';
import { ROOT, runTool } from '../lib/tool.mjs';

const MODELS = join(ROOT, 'docs', 'model');
const MAX_DEPTH = 2_000_000;
const MAX_MEMORY_MIB = 2048;
const TOOLS = [
  ['spin', ['-V'], 'apt-get install spin'],
  ['cc', ['--version'], 'apt-get install gcc libc6-dev'],
];
const HEADINGS = ['model', 'variant', 'property', 'expected', 'found', 'states', 'seconds'];

/** `npm run model`: checks all states of every model of docs/model with Spin. `--only MODEL` leaves out the others. */
export async function command(stop, { values }) {
  const checks = CHECKS.filter(({ model }) => values.only === undefined || model === values.only);
  const names = new Set(CHECKS.map(({ model }) => model));
  if (checks.length === 0) throw new Failure(`--only is ${values.only}; expected one of ${[...names].join(', ')}.`);
  for (const tool of TOOLS) await requireTool(tool, stop);
  const folder = await mkdtemp(join(tmpdir(), 'sealwire-model-'));
  try {
    return await checkAll(checks, folder, stop);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function requireTool([name, args, remedy], stop) {
  await runTool(name, args, stop).catch((error) => {
    if (error.code === 'ENOENT') throw new Failure(`${name} was not found: install it (${remedy}), then try again.`);
    throw error;
  });
}

async function checkAll(checks, folder, stop) {
  printRow(HEADINGS);
  printRow(HEADINGS.map(() => '---'));
  const progress = new Progress();
  let wrong = 0;
  for (const [index, check] of checks.entries()) {
    progress.show(`${check.model}: check ${index + 1} of ${checks.length}`);
    const startMs = performance.now();
    const searched = programOf(check, folder, stop).then((program) => search(check, program, stop));
    const { violated, states } = await searched.finally(() => progress.clear());
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    const isRight = violated !== check.holds;
    if (!isRight) wrong += 1;
    const { model, defines, property = 'assertions, no deadlock', holds } = check;
    const found = `${violated ? 'violated' : 'holds'}${isRight ? '' : ' - WRONG'}`;
    printRow([model, defines.join(' '), property, holds ? 'holds' : 'violated', found, states, seconds]);
  }
  console.log(`\n${checks.length} checks, ${wrong} wrong`);
  return wrong === 0 ? 0 : 1;
}

function printRow(cells) {
  console.log(`| ${cells.join(' | ')} |`);
}

/**
 * Returns the program that visits all states of a model. It is made once, because it serves all properties of a
 * variant.
 */
async function programOf({ model, defines, property }, folder, stop) {
  const kind = property === undefined ? ['-DSAFETY', '-DNOCLAIM'] : [];
  const made = join(folder, [model, ...defines, ...kind].join(' '), 'pan');
  if (existsSync(made)) return made;
  await mkdir(dirname(made));
  const flags = defines.map((define) => `-D${define}`);
  await run('spin', [...flags, '-a', join(MODELS, `${model}.pml`)], dirname(made), stop);
  await run('cc', ['-O1', '-w', `-DMEMLIM=${MAX_MEMORY_MIB}`, ...kind, '-o', made, 'pan.c'], dirname(made), stop);
  return made;
}

async function search({ model, defines, property }, program, stop) {
  const goal = property === undefined ? [] : ['-a', '-N', property];
  const output = await run(program, [`-m${MAX_DEPTH}`, ...goal], dirname(program), stop);
  const errors = /errors: (\d+)/.exec(output)?.[1];
  const states = /(\d+) states, stored/.exec(output)?.[1];
  const violated = errors !== '0';
  // A violation ends the search; without one every state has to have been visited.
  const isCut = !violated && /search not completed|max search depth too small|out of memory/i.test(output);
  if (errors === undefined || states === undefined || isCut)
    throw new Failure(`The search through ${[model, ...defines].join(' ')} was not completed: ${oneLine(output)}`);
  return { violated, states: Number(states).toLocaleString('en') };
}

async function run(tool, args, cwd, stop) {
  const { code, output } = await runTool(tool, args, stop, cwd);
  if (code !== 0) throw new Failure(`${tool} failed (exit code ${code}): ${oneLine(output)}`);
  return output;
}
