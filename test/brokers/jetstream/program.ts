import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A program of this folder in a process of its own. */
export class Program {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #progress = -1;

  /** @param settings - Given to it as JSON. */
  constructor(file: 'publisher.mjs' | 'consumer.mjs', settings: object) {
    this.#child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(settings)], { execArgv: [] });
    this.#exited = once(this.#child, 'exit').then(([code, signal]: unknown[]) => code ?? signal);
    this.#child.on('message', (progress) => (this.#progress = Number(progress)));
  }

  /** The number that it has sent last. */
  get progress(): number {
    return this.#progress;
  }

  /** The exit code, or the signal that ended it. */
  exit(): Promise<unknown> {
    return this.#exited;
  }

  kill(): Promise<unknown> {
    this.#child.kill('SIGKILL');
    return this.#exited;
  }
}
