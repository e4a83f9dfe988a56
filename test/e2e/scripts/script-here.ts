import { join } from 'node:path';
import { vi } from 'vitest';
import { type Ended, ROOT } from './script-run.js';

type Command = (stop: AbortSignal) => Promise<number>;

/**
 * The command of a script in this process, for what it says and does: how its process ends is shown by another case. One
 * run after the other, as each has the arguments, the directory and the console for itself.
 */
export class ScriptHere {
  readonly #command: Command;
  readonly #exitCodeOf: (command: Command, stop: AbortSignal) => Promise<number>;

  private constructor(command: Command, exitCodeOf: (command: Command, stop: AbortSignal) => Promise<number>) {
    this.#command = command;
    this.#exitCodeOf = exitCodeOf;
  }

  /** @param module - The file with the command. */
  static async load(module: string): Promise<ScriptHere> {
    const { command } = await import(module);
    const { exitCodeOf } = await import(join(ROOT, 'scripts/lib/command.mjs'));
    return new ScriptHere(command, exitCodeOf);
  }

  async run(args: readonly string[], directory = process.cwd()): Promise<Ended> {
    const [argv, cwd] = [process.argv, process.cwd()];
    const stdout = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const stderr = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    process.argv = [...argv.slice(0, 2), ...args];
    process.chdir(directory);
    try {
      const status = await this.#exitCodeOf(this.#command, new AbortController().signal);
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
