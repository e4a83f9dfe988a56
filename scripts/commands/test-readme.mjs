import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../lib/failure.mjs';
import { reportOutcome } from '../lib/outcome.mjs';
import { runTool } from '../lib/tool.mjs';
import { cloneTo, resetClone } from '../../test/readme/clone.mjs';
import { readSteps } from '../../test/readme/document.mjs';
import { nodeFolder, terminalEnvironment } from '../../test/readme/node.mjs';
import { checkPortsFree, Reader } from '../../test/readme/reader.mjs';

const DOCUMENTS = ['README.md', 'docs/demo.md', 'docs/first-app.md', 'docs/extending.md'];

/** `npm run test:readme`: runs the documents literally, in a fresh clone for each Node. */
export async function command(stop, { values, positionals }) {
  const { node: majors, 'without-docker': withoutDocker = false } = values;
  const documents = positionals.length > 0 ? positionals : DOCUMENTS;
  await checkPortsFree();
  const folder = await mkdtemp(join(tmpdir(), 'sealwire-readme-'));
  try {
    for (const [index, major] of majors.entries()) {
      const docker = await dockerFor(index, withoutDocker);
      await readAll(join(folder, major), documents, major, { docker, stop });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return 0;
}

/** Returns how to run the steps with containers. They run once, because containers have a Node of their own. */
async function dockerFor(index, withoutDocker) {
  if (withoutDocker) return { skipped: '--without-docker' };
  if (index > 0) return { skipped: 'they ran with the previous Node' };
  return { compose: process.env.COMPOSE || 'docker compose' };
}

async function readAll(folder, documents, major, { docker, stop }) {
  const clone = join(folder, 'sealwire');
  await cloneTo(clone, stop);
  const node = await nodeFolder(major, join(folder, 'node'), stop);
  const { output: version } = await runTool(join(node, 'node'), ['--version'], stop);
  for (const name of documents) {
    await read(name, clone, terminalEnvironment(node), { version: version.trim(), docker, stop });
    await resetClone(clone, stop);
  }
}

async function read(name, clone, env, { version, docker, stop }) {
  const startMs = performance.now();
  const steps = readSteps(await readFile(join(clone, name), 'utf8'), name);
  const reader = new Reader(clone, env, docker);
  console.log(`${name}, Node ${version}`);
  try {
    for (const step of steps) await take(reader, step, name, stop);
    await reader.leave();
  } finally {
    await reader.cleanUp();
  }
  console.log(
    `${name}, Node ${version}: ${steps.length} steps in ${((performance.now() - startMs) / 1000).toFixed(1)} s\n`,
  );
}

async function take(reader, step, name, stop) {
  const what = `${name}:${step.line} ${titleOf(step)}`;
  const startMs = performance.now();
  const result = await reader.take(step, stop).then(
    (reason) => (reason === undefined ? { outcome: 'ok' } : { outcome: 'skipped', reason }),
    (error) => {
      stop.throwIfAborted();
      return { outcome: 'failed', output: error.message };
    },
  );
  reportOutcome(what, result, startMs);
  if (result.outcome === 'failed') throw new Failure(`${what}: FAILED`);
}

function titleOf(step) {
  switch (step.kind) {
    case 'file':
      return `writes ${step.path}`;
    case 'addition':
      return `adds ${step.name} to ${step.path}`;
    default:
      return step.script.split('\n')[0];
  }
}
