import type { Reporter, TestCase } from 'vitest/node';

const EVERY_MS = 10_000;

/** How far the tests are, in one line now and then, for logs and pipes: a terminal has vitest's own summary below. */
export class ProgressReporter implements Reporter {
  #files = 0;
  #filesDone = 0;
  #passed = 0;
  #failed = 0;
  #startMs = 0;
  #timer: NodeJS.Timeout | undefined;

  onTestRunStart(files: readonly unknown[]): void {
    this.#files = files.length;
    this.#startMs = performance.now();
    this.#timer = setInterval(() => this.#print(), EVERY_MS);
  }

  onTestCaseResult(testCase: TestCase): void {
    const { state } = testCase.result();
    if (state === 'passed') this.#passed += 1;
    if (state === 'failed') this.#failed += 1;
  }

  onTestModuleEnd(): void {
    this.#filesDone += 1;
  }

  onTestRunEnd(): void {
    clearInterval(this.#timer);
  }

  #print(): void {
    const seconds = Math.round((performance.now() - this.#startMs) / 1_000);
    const files = `${this.#filesDone} of ${this.#files} files`;
    process.stdout.write(`--- ${files}: ${this.#passed} tests passed, ${this.#failed} failed, ${seconds} s\n`);
  }
}

export { ProgressReporter as default }; // as vitest loads it
