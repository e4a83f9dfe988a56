// The steps of `npm run test:fresh-projects`: their outcomes, and what is printed.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ROOT } from './script-run.js';

interface Step {
  readonly title: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly before?: () => Promise<void>;
  readonly isFetch?: boolean;
}
type RunSteps = (
  name: string,
  steps: readonly Step[],
  how: { readonly stop: AbortSignal; readonly limitMs?: number },
) => Promise<readonly string[]>;

const { runSteps } = (await import(join(ROOT, 'scripts/lib/steps.mjs'))) as { runSteps: RunSteps };
const printed: string[] = [];

beforeEach(() => {
  printed.length = 0;
  const print = (line: string): void => void printed.push(line.replace(/\([\d.]+ s\)/, '(T)'));
  vi.spyOn(console, 'log').mockImplementation(print);
  vi.spyOn(console, 'error').mockImplementation(print);
  vi.stubEnv('TEST_TOTALS', '');
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** A step that runs a script of Node. */
const step = (title: string, script: string, more: Partial<Step> = {}): Step => ({
  title,
  command: [process.execPath, '--eval', script],
  cwd: ROOT,
  ...more,
});
const run = (steps: readonly Step[], limitMs?: number): Promise<readonly string[]> =>
  runSteps('app', steps, { stop: new AbortController().signal, ...(limitMs === undefined ? {} : { limitMs }) });
const missing = 'console.log("npm error code E404"); process.exit(1)';

describe('the steps of a project', () => {
  it('are run until one fails, whose output is printed', async () => {
    const steps = [step('build', ''), step('test', 'console.log("3 is not 4"); process.exit(1)'), step('start', '')];
    expect(await run(steps)).toEqual(['ok', 'failed', 'skipped']);
    expect(printed).toEqual([
      'ok      app: build (T)',
      'FAILED  app: test (T)\n3 is not 4\n',
      'skipped app: start (an earlier step has failed)',
    ]);
  });

  it('are skipped, with the reason, if npm does not have the tool that the first one gets', async () => {
    expect(await run([step('npm exec', missing, { isFetch: true }), step('build', '')])).toEqual([
      'skipped',
      'skipped',
    ]);
    expect(printed).toEqual([
      'skipped app: npm exec (npm does not have the tool: E404)',
      'skipped app: build (npm does not have the tool: E404)',
    ]);
  });

  it('fail if npm does not have a package that an installation needs', async () => {
    expect(await run([step('npm install', missing)])).toEqual(['failed']);
  });

  it('fail if their preparation or their program does', async () => {
    const before = (): Promise<void> => Promise.reject(new Error('no such folder'));
    expect(await run([step('build', '', { before })])).toEqual(['failed']);
    expect(await run([{ title: 'build', command: ['no-such-program'], cwd: ROOT }])).toEqual(['failed']);
    expect(printed).toEqual([
      'FAILED  app: build (T)\nno such folder',
      'FAILED  app: build (T)\nspawn no-such-program ENOENT',
    ]);
  });

  it('fail at their limit', async () => {
    expect(await run([step('start', 'setInterval(() => {}, 1000)')], 50)).toEqual(['failed']);
    expect(printed).toEqual(['FAILED  app: start (T)\nThe step did not end within 0.05 s.']);
  });

  it('have a line each in the file from which .ci/run counts', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sealwire-steps-'));
    const totals = join(folder, 'totals');
    vi.stubEnv('TEST_TOTALS', totals);
    await run([step('build', ''), step('test', 'process.exit(1)'), step('start', '')]);
    expect(await readFile(totals, 'utf8')).toBe('passed\nfailed app: test\nskipped\n');
    await rm(folder, { recursive: true });
  });

  it('end, and none is counted, if the command is stopped', async () => {
    const stop = AbortSignal.abort(new Error('SIGINT'));
    await expect(runSteps('app', [step('start', '')], { stop })).rejects.toThrow('SIGINT');
  });
});
