import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { ProgressReporter } from '../../support/progress-reporter.js';

let printed = '';

beforeEach(() => {
  printed = '';
  vi.useFakeTimers();
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it('the total of the tests is printed every ten seconds, until they are over', () => {
  const reporter = new ProgressReporter();
  const report = (state: string): void => reporter.onTestCaseResult({ result: () => ({ state }) } as never);
  reporter.onTestRunStart([1, 2, 3]);
  for (const state of ['passed', 'passed', 'failed', 'skipped']) report(state);
  reporter.onTestModuleEnd();
  vi.advanceTimersByTime(10_000);
  expect(printed).toBe('--- 1 of 3 files: 2 tests passed, 1 failed, 10 s\n');
  reporter.onTestRunEnd();
  vi.advanceTimersByTime(60_000);
  expect(printed.split('\n')).toHaveLength(2);
});
