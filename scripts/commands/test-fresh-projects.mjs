import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PROJECTS } from '../../test/fresh-projects/projects.mjs';
import { terminalEnvironment } from '../../test/readme/node.mjs';
import { Failure } from '../lib/failure.mjs';
import { stepsOf } from '../lib/fresh-project.mjs';
import { packLibraries } from '../lib/packed.mjs';
import { prepare } from '../lib/prepare.mjs';
import { runSteps } from '../lib/steps.mjs';

/**
 * `npm run test:fresh-projects`: makes projects outside of the repository, installs the libraries there as npm would publish
 * them, and compiles, tests and runs each. `--only PROJECT` leaves out the others.
 */
export async function command(stop, { values }) {
  const projects = PROJECTS.filter(({ name }) => values.only === undefined || name === values.only);
  if (projects.length === 0)
    throw new Failure(`--only is ${values.only}; expected one of ${PROJECTS.map(({ name }) => name).join(', ')}.`);
  await prepare(stop);
  const folder = await mkdtemp(join(tmpdir(), 'sealwire-fresh-projects-'));
  try {
    const tarballs = await packLibraries(join(folder, 'tarballs'), stop);
    return await checkAll(projects, folder, tarballs, stop);
  } finally {
    // A tool that was stopped may still write for a moment.
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

async function checkAll(projects, folder, tarballs, stop) {
  const env = terminalEnvironment(dirname(process.execPath));
  const outcomes = [];
  for (const project of projects) {
    console.log(`${project.name}: ${project.about}`);
    const steps = stepsOf(project, join(folder, project.name), tarballs);
    outcomes.push(...(await runSteps(project.name, steps, { stop, env })));
  }
  const count = (outcome) => outcomes.filter((other) => other === outcome).length;
  console.log(`${count('ok')} ok, ${count('failed')} failed, ${count('skipped')} skipped`);
  return count('failed') === 0 ? 0 : 1;
}
