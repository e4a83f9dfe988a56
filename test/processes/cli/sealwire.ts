// The command `sealwire`, as a process and in this process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';

import { run } from '../../../libs/transport/src/cli/run.js';
import { Terminal } from '../../../libs/transport/src/cli/terminal.js';
import type { Streams } from '../../../libs/transport/src/cli/terminal.js';
import { ROOT } from '../scripts/script-run.js';

export const MAIN = join(ROOT, 'libs/transport/dist/cli/main.js');

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly nodeArgs?: readonly string[];
  readonly input?: string;
}

/** A running command. */
export class Running {
  stdout = '';
  stderr = '';
  readonly child;
  readonly #ended: Promise<Ended>;

  constructor(args: readonly string[], { cwd, env = {}, uid, nodeArgs = [], input }: ProcessOptions = {}) {
    const { PATH = '', HOME = '' } = process.env;
    this.child = spawn(process.execPath, [...nodeArgs, MAIN, ...args], {
      cwd,
      env: { PATH, HOME, ...env },
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    this.child.stdin.on('error', () => undefined); // the command may end without reading it
    this.child.stdin.end(input ?? '');
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.#ended = once(this.child, 'close').then(([status]) => ({ status, stdout: this.stdout, stderr: this.stderr }));
  }

  end(): Promise<Ended> {
    return this.#ended;
  }
}

export function sealwire(args: readonly string[], options?: ProcessOptions): Promise<Ended> {
  return new Running(args, options).end();
}

export interface HereOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** The line that is typed at a question. Without it, there is no terminal. */
  readonly answer?: string;
  /** Called before the question is asked. */
  readonly atQuestion?: () => void;
  /** Whether standard output is a terminal. */
  readonly isTerminal?: boolean;
  readonly program?: string;
}

class AskingTerminal extends Terminal {
  readonly #atQuestion: (() => void) | undefined;

  constructor(streams: Streams, env: Readonly<Record<string, string>>, atQuestion: (() => void) | undefined) {
    super(streams, env);
    this.#atQuestion = atQuestion;
  }

  override confirm(question: string): Promise<boolean> {
    this.#atQuestion?.();
    return super.confirm(question);
  }
}

/** The same in this process, with streams that may look like a terminal. */
export async function sealwireHere(args: readonly string[], options: HereOptions = {}): Promise<Ended> {
  const { env = {}, answer, atQuestion, isTerminal = false, program = 'sealwire' } = options;
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  if (answer === undefined) streams.stdin.end();
  else streams.stdin.write(answer);
  Object.assign(streams.stdin, { isTTY: answer !== undefined });
  Object.assign(streams.stdout, { isTTY: isTerminal });
  const terminal = new AskingTerminal(streams, env, atQuestion);
  const status = await run({ args, environment: env, terminal, program });
  const textOf = (stream: PassThrough): string => String(stream.read() ?? '');
  return { status, stdout: textOf(streams.stdout), stderr: textOf(streams.stderr) };
}
