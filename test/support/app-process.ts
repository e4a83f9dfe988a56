/// <reference types="node" />
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createRequire } from 'node:module';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

// From where the libraries are: this file may run as it is, or compiled somewhere else.
const ROOT = join(createRequire(import.meta.url).resolve('@sealwire/transport/package.json'), '../../..');
const DEADLINE_MS = 120_000; // of a test that has 180 s, on a machine that is busy

/** An app ended, or the deadline passed, without the entry that was waited for. */
export class NotLogged extends Error {
  override readonly name = 'NotLogged';
}

/** An entry of the log, as LOG_FORMAT=json prints it. */
export interface LogEntry {
  readonly level: string;
  readonly message: string;
  readonly context?: string;
  readonly [field: string]: unknown;
}

export type Env = Readonly<Record<string, string>>;

/** A built app, as a process of its own: any free ports, JSON in the log, and nothing of this process' environment. */
export class AppProcess {
  readonly log: LogEntry[] = [];
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | NodeJS.Signals>;
  readonly #changes = new EventEmitter();
  #hasExited = false;

  constructor(app: 'server' | 'client', cwd: string, env: Env = {}) {
    this.#child = spawn(process.execPath, [join(ROOT, 'apps', app, 'dist', 'main.js')], {
      cwd,
      // No server listens on port 1, so a client without a configured server has none.
      env: {
        ...(env['SEALWIRE_SERVERS'] === undefined && { SEALWIRE_PORT: app === 'server' ? '0' : '1' }),
        HEALTH_PORT: '0',
        HTTP_PORT: '0',
        LOG_FORMAT: 'json',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#changes.setMaxListeners(0);
    this.#exited = this.#readToTheEnd();
  }

  /** The addresses that the app reported once it listened. */
  async ready(): Promise<Readonly<Record<string, string>>> {
    const {
      level: _level,
      pid: _pid,
      timestamp: _time,
      message: _message,
      context: _context,
      ...said
    } = await this.logged('Ready');
    return Object.fromEntries(Object.entries(said).map(([name, value]) => [name, String(value)]));
  }

  /** The first entry, past or coming, whose message contains `text`. */
  async logged(text: string): Promise<LogEntry> {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    for (;;) {
      const entry = this.log.find(({ message }) => message.includes(text));
      if (entry !== undefined) return entry;
      if (this.#hasExited || signal.aborted) throw new NotLogged(`"${text}" was not logged: ${this.describe()}`);
      await once(this.#changes, 'change', { signal }).catch(() => undefined);
    }
  }

  /** The exit code, or the signal that ended it. */
  exit(): Promise<number | NodeJS.Signals> {
    return this.#exited;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals> {
    this.signal(signal);
    return this.exit();
  }

  /** All that it has printed to stderr. */
  get stderr(): string {
    return Buffer.concat(this.#stderr).toString();
  }

  /** All that it has printed, byte for byte, whether it is an entry of the log or not. */
  get output(): readonly Buffer[] {
    return [Buffer.concat(this.#stdout), Buffer.concat(this.#stderr)];
  }

  describe(): string {
    return JSON.stringify({ log: this.log, stderr: this.stderr });
  }

  async #readToTheEnd(): Promise<number | NodeJS.Signals> {
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error('The output of the app is not piped');
    for (const [stream, kept] of [
      [stdout, this.#stdout],
      [stderr, this.#stderr],
    ] as const) {
      stream.on('data', (chunk: Buffer) => kept.push(chunk));
      createInterface({ input: stream }).on('line', (line) => this.#take(line));
    }
    const [code, signal] = await once(this.#child, 'close');
    this.#hasExited = true;
    this.#changes.emit('change');
    return code ?? signal;
  }

  #take(line: string): void {
    if (!line.startsWith('{')) return;
    this.log.push(JSON.parse(line));
    this.#changes.emit('change');
  }
}

/** Starts apps in one directory of their own, and ends whatever still runs. */
export class AppProcesses {
  readonly #started: AppProcess[] = [];
  #directory: Promise<string> | undefined;

  directory(): Promise<string> {
    this.#directory ??= mkdtemp(join(tmpdir(), 'sealwire-apps-'));
    return this.#directory;
  }

  async start(app: 'server' | 'client', env: Env = {}): Promise<AppProcess> {
    const started = new AppProcess(app, await this.directory(), env);
    this.#started.push(started);
    return started;
  }

  async end(): Promise<void> {
    await Promise.all(this.#started.splice(0).map((app) => app.stop('SIGKILL')));
    if (this.#directory !== undefined) await rm(await this.#directory, { recursive: true, force: true });
    this.#directory = undefined;
  }
}
