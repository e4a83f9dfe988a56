// `npm run test:compose` where there is no engine, and with a command in place of Compose that notes how it is called.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROOT, ScriptRun } from './script-run.js';

const SCRIPT = [join(ROOT, 'scripts/run.mjs'), 'test-compose'];
const POLL = { timeout: 10_000 };

// Takes the arguments of Compose, and ends each command as its first argument says: an exit code, or never.
const COMPOSE = `
  import { appendFileSync } from 'node:fs';
  const [calls, endings, ...args] = process.argv.slice(2);
  const verb = args.find((arg) => ['version', 'ps', 'build', 'logs', 'down'].includes(arg));
  appendFileSync(calls, JSON.stringify({ pid: process.pid, verb, args }) + '\\n');
  const ending = new URLSearchParams(endings).get(verb) ?? '0';
  if (ending !== '0') console.error(verb + ' does not work today');
  if (ending === 'never') setInterval(() => {}, 1000);
  else process.exit(Number(ending));
`;

interface Call {
  readonly pid: number;
  readonly verb: string;
  readonly args: readonly string[];
}

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealwire-compose-'));
  writeFileSync(join(directory, 'compose.mjs'), COMPOSE);
  writeFileSync(join(directory, 'calls'), '');
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function testCompose(endings: string): ScriptRun {
  const command = [process.execPath, join(directory, 'compose.mjs'), join(directory, 'calls'), endings];
  return new ScriptRun(SCRIPT, { COMPOSE: command.join(' '), NO_COLOR: '1' });
}

function calls(): readonly Call[] {
  const lines = readFileSync(join(directory, 'calls'), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const oneLine = (pattern: RegExp) => ({ status: 1, stdout: '', stderr: expect.stringMatching(pattern) });

describe('npm run test:compose', () => {
  it('reports in one line that Compose is missing', async () => {
    const run = new ScriptRun(SCRIPT, { COMPOSE: join(directory, 'nothing') });
    expect(await run.end()).toMatchObject(
      oneLine(/^No container engine is reachable \(.*: it is not installed\): start Docker.*\n$/),
    );
  });

  it('reports in one line that the engine does not answer', async () => {
    const ended = await testCompose('ps=1').end();
    expect(ended).toMatchObject(
      oneLine(/^No container engine is reachable \(.*: ps does not work today\): start Docker.*\n$/),
    );
    expect(calls().map(({ verb }) => verb)).toEqual(['version', 'ps']);
  });

  it('removes everything it created when a prerequisite check fails', async () => {
    const { status, stdout, stderr } = await testCompose('build=1').end();
    expect(status).toBe(1);
    expect(stderr).toContain('compose build failed (exit code 1): build does not work today');
    expect(stdout).toMatch(/ Tests {2}1 failed \| \d+ skipped /); // one needs no stack
    expect(calls().at(-1)).toMatchObject({ verb: 'down', args: expect.arrayContaining(['--volumes', '--rmi']) });
  });

  it('fails when something remains, and describes how to remove it', async () => {
    const { status, stderr } = await testCompose('build=1&down=1').end();
    expect(status).toBe(1);
    expect(stderr).toMatch(/\nNot everything was removed \(down does not work today\): run `.* down .*`\.\n$/);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('stops and removes everything it created on %s', async (signal, code) => {
    const run = testCompose('build=never');
    const running = () => calls().find(({ verb }) => verb === 'build');
    await expect.poll(running, POLL).toBeDefined();
    run.signal(signal);
    expect((await run.end()).status).toBe(code);
    await expect.poll(() => isRunning(running()?.pid ?? 0), POLL).toBe(false);
    expect(calls().at(-1)).toMatchObject({ verb: 'down', args: expect.arrayContaining(['--volumes', '--rmi']) });
  });

  it('uses its own project', async () => {
    await testCompose('build=1').end();
    const args = calls().find(({ verb }) => verb === 'build')?.args ?? [];
    expect(args[args.indexOf('-p') + 1]).toMatch(/^sealwire-test-\d+$/);
  });
});
