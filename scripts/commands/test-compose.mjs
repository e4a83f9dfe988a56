import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Failure } from '../lib/failure.mjs';
import { installMissing } from '../lib/prepare.mjs';
import { ROOT, runTool } from '../lib/tool.mjs';

const COMMANDS = [['docker', 'compose'], ['docker-compose']];
const PROJECT = ['-f', join(ROOT, 'docker-compose.yml'), '-p', `sealwire-test-${process.pid}`];
const COMMAND_TIMEOUT_MS = 90_000;
const KILL_AFTER_MS = 5000;
const MAX_REASON_CHARACTERS = 160;

/**
 * `npm run test:compose`: runs the tests of test/compose, with the stack of docker-compose.yml on a real engine. The
 * stack has its own project name, so that no other stack is touched, and is removed at the end.
 */
export async function command(stop) {
  const compose = [...(await findCompose(stop)), ...PROJECT];
  await installMissing(stop);
  try {
    const code = await runTests(compose, stop);
    if (code !== 0 && !stop.aborted) console.error((await run(compose, ['logs', '--no-color', '--tail', '40'])).output);
    return code;
  } finally {
    if (stop.aborted) console.error('Stopped: removing what was started …');
    await remove(compose);
  }
}

/**
 * Returns the Compose command that COMPOSE names, or else the first one that is installed and finds its engine running.
 */
async function findCompose(stop) {
  const named = process.env.COMPOSE?.split(' ').filter((word) => word !== '') ?? [];
  const reasons = [];
  for (const compose of named.length > 0 ? [named] : COMMANDS) {
    const { code: missing } = await run(compose, ['version'], stop);
    const ended =
      missing === 0 ? await run(compose, [...PROJECT, 'ps', '-q'], stop) : { output: 'it is not installed' };
    if (ended.code === 0) return compose;
    reasons.push(`${compose.join(' ')}: ${reasonOf(ended)}`);
  }
  const advice = 'start Docker, or name a Compose command in COMPOSE';
  throw new Failure(`No container engine is reachable (${reasons.join('; ')}): ${advice}.`);
}

/** Runs the tests in a process group of their own: Ctrl-C comes through `stop` alone, and ends what Compose does as well. */
async function runTests(compose, stop) {
  stop.throwIfAborted();
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const args = ['run', '--config', 'test/compose/vitest.config.ts', '--reporter=verbose', ...process.argv.slice(2)];
  const child = spawn(process.execPath, [vitest, ...args], {
    cwd: ROOT,
    env: { ...process.env, COMPOSE: JSON.stringify(compose) },
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  const kill = () => signalGroup(child, 'SIGKILL');
  const terminate = () => {
    signalGroup(child, 'SIGTERM');
    setTimeout(kill, KILL_AFTER_MS).unref();
  };
  stop.addEventListener('abort', terminate);
  process.once('exit', kill);
  const [code] = await once(child, 'close');
  stop.removeEventListener('abort', terminate);
  kill(); // what the tests have left running
  stop.throwIfAborted();
  return code ?? 1;
}

function signalGroup({ pid }, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error; // it ended just now
  }
}

/** Stops and removes everything that belongs to the project, also when the rest was stopped. */
async function remove(compose) {
  const args = ['down', '--volumes', '--remove-orphans', '--rmi', 'local'];
  const ended = await run(compose, args);
  if (ended.code === 0) return;
  throw new Failure(`Not everything was removed (${reasonOf(ended)}): run \`${[...compose, ...args].join(' ')}\`.`);
}

/**
 * Runs a command of Compose, and returns its exit code and output. A command that cannot be started, or does not end in
 * time, has no exit code.
 */
async function run([program, ...first], args, stop = new AbortController().signal) {
  const late = AbortSignal.timeout(COMMAND_TIMEOUT_MS);
  return runTool(program, [...first, ...args], AbortSignal.any([stop, late])).catch((error) => {
    stop.throwIfAborted();
    return { output: late.aborted ? `it did not end within ${COMMAND_TIMEOUT_MS / 1000} s` : error.message };
  });
}

/** Returns the last line that a command printed before it failed. */
function reasonOf({ code, output }) {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return (lines.at(-1) ?? `exit code ${code}`).trim().slice(0, MAX_REASON_CHARACTERS);
}
