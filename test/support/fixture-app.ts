import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { createKeyFile } from '@sealwire/crypto';

type Signal = 'SIGTERM' | 'SIGKILL';

const FIXTURES = new URL('../processes/fixtures/', import.meta.url);

/** A program of test/processes/fixtures in a process of its own, which prints lines and is given lines. */
export class FixtureApp {
  /** All that it has printed. Complete after {@link exit}, also after a SIGKILL. */
  readonly lines: string[] = [];
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #printed = new EventEmitter();
  readonly #exit: Promise<number | Signal>;
  #hasExited = false;

  constructor(file: string, ...args: readonly string[]) {
    const path = fileURLToPath(new URL(file, FIXTURES));
    this.#child = spawn(process.execPath, [path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#printed.setMaxListeners(0);
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.lines.push(line);
      this.#printed.emit('line');
    });
    this.#child.stdin.on('error', () => undefined); // it may be killed while it is given a line
    this.#exit = once(this.#child, 'close').then(([code, signal]) => {
      this.#hasExited = true;
      this.#printed.emit('line');
      return code ?? signal;
    });
  }

  /** The rest of the first line, past or coming, that begins with `start`. */
  async said(start: string): Promise<string> {
    for (;;) {
      const line = this.lines.find((each) => each.startsWith(start));
      if (line !== undefined) return line.slice(start.length);
      if (this.#hasExited) throw new Error(`The process ended and has not printed "${start}"`);
      await once(this.#printed, 'line');
    }
  }

  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  signal(signal: Signal): void {
    this.#child.kill(signal);
  }

  /** The exit code, or the signal that ended it. */
  exit(): Promise<number | Signal> {
    return this.#exit;
  }

  stop(signal: Signal): Promise<number | Signal> {
    this.signal(signal);
    return this.exit();
  }
}

/** The fixtures of one test, with a key file of their own. */
export class FixtureApps {
  readonly keyFile: string;
  readonly #directory: string;
  readonly #started: FixtureApp[] = [];

  private constructor(directory: string) {
    this.#directory = directory;
    this.keyFile = join(directory, 'aes_key.bin');
  }

  static async create(): Promise<FixtureApps> {
    const apps = new FixtureApps(await mkdtemp(join(tmpdir(), 'sealwire-fixtures-')));
    await createKeyFile(apps.keyFile);
    return apps;
  }

  start(file: string, ...args: readonly string[]): FixtureApp {
    const app = new FixtureApp(file, ...args);
    this.#started.push(app);
    return app;
  }

  /** What all of them have printed that begins with `start`, without it. */
  linesWith(start: string): readonly string[] {
    const lines = this.#started.flatMap((app) => app.lines);
    return lines.filter((line) => line.startsWith(start)).map((line) => line.slice(start.length));
  }

  async stop(signal: Signal): Promise<void> {
    await Promise.all(this.#started.map((app) => app.stop(signal)));
  }

  async close(): Promise<void> {
    await this.stop('SIGKILL');
    await rm(this.#directory, { recursive: true, force: true });
  }
}
