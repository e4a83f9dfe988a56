import { appendFileSync } from 'node:fs';

import type { Reporter, TestCase, TestModule } from 'vitest/node';

/**
 * Appends a line for each test to the file that the variable TEST_TOTALS names: `passed`, `skipped`, or `failed` with its
 * name. A file that failed outside its tests has one line more.
 */
export class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const { TEST_TOTALS: path } = process.env;
    if (path === undefined) throw new Error('The totals have no file: name it in the variable TEST_TOTALS');
    appendFileSync(path, modules.flatMap(linesOf).join(''));
  }
}

function linesOf(module: TestModule): readonly string[] {
  const tests = [...module.children.allTests()];
  const hasFailedAlone = !module.ok() && tests.every((test) => test.ok());
  return [...tests.map(lineOf), ...(hasFailedAlone ? [failed(`${module.relativeModuleId}: ${reasonOf(module)}`)] : [])];
}

function lineOf(test: TestCase): string {
  const { state } = test.result();
  if (state === 'failed') return failed(`${test.module.relativeModuleId} > ${test.fullName}`);
  return state === 'passed' ? 'passed\n' : 'skipped\n';
}

function reasonOf(module: TestModule): string {
  const suites = [...module.children.allSuites()];
  return [module, ...suites].flatMap((each) => each.errors()).map(({ message }) => message)[0] ?? 'no test has failed';
}

const failed = (what: string): string => `failed ${what.replaceAll(/\s+/g, ' ')}\n`;

export { TotalsReporter as default }; // as vitest loads it
