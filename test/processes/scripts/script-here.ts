import { join } from 'node:path';
import { vi } from 'vitest';
import { type Ended, ROOT } from './script-run.js';

type ExitCodeOf = (name: string, stop: AbortSignal) => Promise<number>;

/**
 * The command of a script in this process, for what it says and does: how its process ends is shown by another case. One
 * run after the other, as each has the arguments, the directory and the console for itself.
 */
export class ScriptHere {
  readonly #name: string;
  readonly #exitCodeOf: ExitCodeOf;

  private constructor(name: string, exitCodeOf: ExitCodeOf) {
    this.#name = name;
    this.#exitCodeOf = exitCodeOf;
  }

  /** @param root - The repository, or a copy of it. */
  static async load(name: string, root = ROOT): Promise<ScriptHere> {
    const { exitCodeOf } = (await import(join(root, 'scripts/lib/command.mjs'))) as { exitCodeOf: ExitCodeOf };
    return new ScriptHere(name, exitCodeOf);
  }

  async run(args: readonly string[], directory = process.cwd()): Promise<Ended> {
    const [argv, cwd] = [process.argv, process.cwd()];
    const stdout = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const stderr = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    process.argv = [...argv.slice(0, 2), ...args];
    process.chdir(directory);
    try {
      const status = await this.#exitCodeOf(this.#name, new AbortController().signal);
      return { status, stdout: textOf(stdout.mock.calls), stderr: textOf(stderr.mock.calls) };
    } finally {
      process.chdir(cwd);
      process.argv = argv;
      stdout.mockRestore();
      stderr.mockRestore();
    }
  }
}

function textOf(lines: readonly (readonly unknown[])[]): string {
  return lines.map(([line]) => `${String(line)}\n`).join('');
}
