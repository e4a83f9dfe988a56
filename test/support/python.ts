// Programs of clients/python, the implementation that was written from the text of the protocol alone.
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { key } from './pair.js';

/** Debian's, whose `cryptography` is a package of the system, and whatever else there is. */
const COMMANDS = ['/usr/bin/python3', 'python3'];
const FOLDER = new URL('../../clients/python/', import.meta.url);

/** Undefined if no Python here can run it. */
export const python = COMMANDS.find(canRun);
if (python === undefined) console.warn('Skipped: there is no python3 with the package cryptography');

function canRun(command: string): boolean {
  try {
    execFileSync(command, ['-c', 'import cryptography, sys; sys.exit(sys.version_info < (3, 11))'], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

/** The answer to a call of the Python client: its values and its end. */
export interface Answer {
  readonly values: readonly unknown[];
  readonly error?: unknown;
  readonly code?: string;
  readonly failure?: string;
  readonly cancelled?: true;
}

/** One call in the words of `sealwire/lines.py`. */
export interface Call {
  readonly pattern: unknown;
  readonly [option: string]: unknown;
}

/** Starts programs, and ends those that a test leaves behind. */
export class PythonPrograms {
  readonly #directory = mkdtempSync(join(tmpdir(), 'sealwire-'));
  readonly #children: ChildProcess[] = [];
  /** Of the key that `startServer` and `newClient` have. */
  readonly keyFile = this.writeKey('key', key);

  writeKey(name: string, bytes: Uint8Array): string {
    const path = join(this.#directory, name);
    writeFileSync(path, bytes);
    chmodSync(path, 0o600);
    return path;
  }

  start(command: string, keyFile: string, ...rest: readonly string[]): ChildProcess {
    const all = ['-m', 'sealwire', command, '--key-file', keyFile, ...rest];
    const child = spawn(python ?? '', all, { cwd: FOLDER, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#children.push(child);
    return child;
  }

  async serve(...options: readonly string[]): Promise<PythonServer> {
    const child = this.start('serve', this.keyFile, '--stats', ...options);
    const lines = linesOf(child);
    const first = await lines.next();
    return { port: (JSON.parse(String(first.value)) as { port: number }).port, child, lines };
  }

  /** A client that makes the calls of a test one after the other, or concurrently, over one connection. */
  client(port: number, ...options: readonly string[]): PythonClient {
    return new PythonClient(this.start('calls', this.keyFile, '--stats', `127.0.0.1:${port}`, ...options));
  }

  killAll(): void {
    for (const child of this.#children.splice(0)) child.kill('SIGKILL');
  }

  remove(): void {
    this.killAll();
    rmSync(this.#directory, { recursive: true });
  }
}

export interface PythonServer {
  readonly port: number;
  readonly child: ChildProcess;
  /** The lines that it prints after its port. */
  readonly lines: AsyncIterator<string>;
}

/** The statistics that a program prints when it ends: its records by direction and type, and the end of its connections. */
export interface Farewell {
  readonly stats: Readonly<Record<string, number>>;
  /** Of a server. */
  readonly failures?: readonly string[];
}

/** Stops a server gracefully. */
export async function stop({ child, lines }: PythonServer): Promise<Farewell & { readonly status: unknown }> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const { value } = await lines.next();
  const [status] = (await exited) as [unknown];
  return { ...(JSON.parse(String(value)) as Farewell), status };
}

export class PythonClient {
  readonly #child: ChildProcess;
  readonly #open = new Map<number, { readonly values: unknown[]; readonly ended: (answer: Answer) => void }>();
  /** Undefined if it was killed. */
  readonly #farewell: Promise<Farewell | undefined>;
  #lastId = 0;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#farewell = this.#read();
  }

  send(call: Call): Promise<Answer> {
    return this.#ask({ do: 'send', ...call });
  }

  emit(call: Call): Promise<Answer> {
    return this.#ask({ do: 'emit', ...call });
  }

  /** How many records of a type it has `sent` or `read`. */
  async records(direction: 'sent' | 'read', type: string): Promise<number> {
    const { values } = await this.#ask({ do: 'records' });
    return (values[0] as Farewell['stats'])[`${direction} ${type}`] ?? 0;
  }

  /** Makes it lose interest in the call made last. */
  cancelLast(): void {
    this.#write({ do: 'cancel', id: this.#lastId });
  }

  /** Lets it close its connection and end. */
  async close(): Promise<Farewell> {
    this.#child.stdin?.end();
    const farewell = await this.#farewell;
    if (farewell === undefined) throw new Error('The Python client ended without a word');
    return farewell;
  }

  #ask(call: object): Promise<Answer> {
    const id = ++this.#lastId;
    this.#write({ ...call, id });
    return new Promise((ended) => this.#open.set(id, { values: [], ended }));
  }

  #write(line: object): void {
    this.#child.stdin?.write(`${JSON.stringify(line)}\n`);
  }

  async #read(): Promise<Farewell | undefined> {
    for await (const text of { [Symbol.asyncIterator]: () => linesOf(this.#child) }) {
      const { id, ...line } = JSON.parse(text) as { id?: number; value?: unknown; done?: true } & Partial<Farewell>;
      if (id === undefined) return { stats: {}, ...line };
      const call = this.#open.get(id);
      if ('value' in line) {
        call?.values.push(line.value);
        continue;
      }
      this.#open.delete(id);
      const { done: _done, ...rest } = line;
      call?.ended({ values: call.values, ...rest });
    }
    for (const { values, ended } of this.#open.values()) ended({ values, failure: 'the program has ended' });
    return undefined;
  }
}

function linesOf({ stdout }: ChildProcess): AsyncIterator<string> {
  if (stdout === null) throw new Error('The program has no output');
  return createInterface({ input: stdout })[Symbol.asyncIterator]();
}
