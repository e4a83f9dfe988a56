import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { SealwireServerOptions } from '@sealwire/transport';

import { key } from '../../support/pair.js';
import type { HandlerRun } from '../history/history.js';
import { FAILURE_MARK } from './server-command.js';
import type { ServerCommand } from './server-command.js';
import type { TestedServer } from './tested-server.js';

const PROCESS_FILE = fileURLToPath(new URL('server-process.js', import.meta.url));

/** Starts servers in processes of their own, whose logs are in a directory of this run. */
export class ProcessServers {
  readonly #directory = mkdtempSync(join(tmpdir(), 'sealwire-faults-'));

  /** A `StartServer`. */
  readonly start = async (name: string, options: SealwireServerOptions): Promise<TestedServer> => {
    const child = fork(PROCESS_FILE);
    const logFile = join(this.#directory, name);
    tell(child, { name, keyHex: Buffer.from(key).toString('hex'), logFile, options });
    const [port] = await once(child, 'message');
    return new ProcessServer(name, child, Number(port), logFile);
  };

  end(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

class ProcessServer implements TestedServer {
  readonly port: number;
  readonly record = { runs: [] as HandlerRun[], failures: [] as string[] };
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #exited: Promise<unknown>;

  constructor(name: string, child: ChildProcess, port: number, logFile: string) {
    this.#name = name;
    this.#child = child;
    this.port = port;
    this.#logFile = logFile;
    this.#exited = once(child, 'exit');
  }

  async stop(): Promise<void> {
    tell(this.#child, 'stop');
    const [code] = (await this.#exited) as [number | null];
    if (code !== 0) this.record.failures.push(`the process of ${this.#name} ended with ${code}`);
    this.#readLog();
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
    this.#readLog();
  }

  async freeze(ms: number): Promise<void> {
    this.#child.kill('SIGSTOP');
    await delay(ms);
    this.#child.kill('SIGCONT');
  }

  #readLog(): void {
    for (const line of readFileSync(this.#logFile, 'utf8').split('\n')) {
      if (line.startsWith(FAILURE_MARK)) this.record.failures.push(`${this.#name}: ${line.slice(FAILURE_MARK.length)}`);
      else if (line !== '') this.record.runs.push({ call: line, server: this.#name });
    }
  }
}

function tell(child: ChildProcess, command: ServerCommand): void {
  child.send(command);
}
