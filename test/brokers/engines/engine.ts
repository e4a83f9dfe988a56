// Brokers from Debian's packages, each started by a test on a free port of 127.0.0.1 with a directory of its own.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { freePorts } from '../../support/free-ports.js';

const START_DEADLINE_MS = 90_000;
const STOP_DEADLINE_MS = 20_000;
const PROBE_DEADLINE_MS = 5000;
const PROBE_PAUSE_MS = 50;

/** The program of a broker: how it is started, and how it shows that it serves. */
export interface EngineKind {
  readonly scheme: string;
  /** The file name or the path of the program. */
  readonly program: string;
  /** Debian's package of it. */
  readonly aptPackage: string;
  /** Called before each start. The store is in `directory`, which a restart keeps. */
  command(port: number, directory: string): EngineCommand | Promise<EngineCommand>;
  /** The first bytes of a client; undefined if the broker speaks first. */
  readonly hello?: Uint8Array;
  /** The beginning of the broker's answer. */
  readonly answer: Uint8Array;
}

export interface EngineCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that a test needs. */
export type Needed = Pick<EngineKind, 'program' | 'aptPackage'>;

/** Returns whether a broker cannot be started here. */
export function isMissing({ program }: Needed): boolean {
  const folders = program.includes('/') ? [''] : [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return !folders.some((folder) => isProgram(join(folder, program)));
}

/** The end of the name of tests that need a broker: why they are skipped, if they are. */
export function skipNote(needed: Needed): string {
  return isMissing(needed) ? ` (skipped: ${needed.program} is missing; apt-get install ${needed.aptPackage})` : '';
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A running broker. */
export class Engine {
  readonly port: number;
  readonly #kind: EngineKind;
  readonly #directory: string;
  #run: EngineRun | undefined;

  private constructor(kind: EngineKind, port: number, directory: string) {
    this.#kind = kind;
    this.port = port;
    this.#directory = directory;
  }

  /** Resolves when the broker answers. */
  static async start(kind: EngineKind): Promise<Engine> {
    const { engine: port } = await freePorts('engine');
    const engine = new Engine(kind, Number(port), await mkdtemp(join(tmpdir(), `sealwire-${kind.aptPackage}-`)));
    await engine.restart();
    return engine;
  }

  get url(): string {
    return `${this.#kind.scheme}://127.0.0.1:${this.port}`;
  }

  /** Ends it without any chance to tidy up. */
  async kill(): Promise<void> {
    await this.#run?.end('SIGKILL');
    this.#run = undefined;
  }

  /** Stops it for a while: its connections stay, and nothing answers. */
  pause(): void {
    this.#run?.signal('SIGSTOP');
  }

  resume(): void {
    this.#run?.signal('SIGCONT');
  }

  /** Starts it again on the same port with the same store. */
  async restart(): Promise<void> {
    await this.#run?.end('SIGTERM');
    this.#run = new EngineRun(await this.#kind.command(this.port, this.#directory));
    await this.#run.until(() => answers(this.port, this.#kind));
  }

  /** Ends it and removes its store. */
  async stop(): Promise<void> {
    await this.#run?.end('SIGTERM');
    this.#run = undefined;
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** One run of the program, in a process group of its own: some brokers start helpers. */
export class EngineRun {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #killAtExit = () => this.signal('SIGKILL');
  #output = '';
  #hasExited = false;

  constructor({ program, args, env }: EngineCommand) {
    this.#child = spawn(program, args, {
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin`, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    }
    // Its helpers have ended as well if nothing has the other end of the pipes.
    this.#exited = once(this.#child, 'close').finally(() => {
      this.#hasExited = true;
      process.removeListener('exit', this.#killAtExit);
    });
    this.#exited.catch(() => undefined); // it could not be started, which until() reports
    process.once('exit', this.#killAtExit);
  }

  /** All that it has printed. */
  get output(): string {
    return this.#output;
  }

  /** Resolves when `isSo` returns something, which is asked for again and again. */
  async until<T>(isSo: () => T | undefined | Promise<T | undefined>): Promise<T> {
    const deadline = AbortSignal.timeout(START_DEADLINE_MS);
    for (;;) {
      const found = await isSo();
      if (found !== undefined) return found;
      if (this.#hasExited || deadline.aborted) throw new Error(`The broker does not answer: ${this.#output}`);
      await sleep(PROBE_PAUSE_MS);
    }
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.#hasExited) return;
    this.signal(signal);
    const impatient = setTimeout(this.#killAtExit, STOP_DEADLINE_MS);
    await this.#exited.catch(() => undefined);
    clearTimeout(impatient);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // The group has ended.
    }
  }
}

/** Returns true if the broker answers a client; undefined if not. */
async function answers(port: number, { hello, answer }: EngineKind): Promise<true | undefined> {
  const socket = connect(port, '127.0.0.1');
  try {
    const signal = AbortSignal.timeout(PROBE_DEADLINE_MS);
    await once(socket, 'connect', { signal });
    if (hello !== undefined) socket.write(hello);
    const [received] = (await once(socket, 'data', { signal })) as [Buffer];
    return received.subarray(0, answer.length).equals(answer) ? true : undefined;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}
