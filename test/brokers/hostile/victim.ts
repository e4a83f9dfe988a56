import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';

// The attacks compile this file into their own folder, but not the program.
const FILE = fileURLToPath(new URL('victim.mjs', import.meta.url.replace('/test/attacks/dist/', '/')));

export interface VictimSettings {
  readonly role: 'server' | 'client';
  readonly broker: 'nats' | 'redis' | 'mqtt' | 'rabbitmq';
  readonly url: string;
  /** Undefined: Nest's own transport. */
  readonly keyFile: string | undefined;
}

/** What a victim has done. */
export interface Deed {
  readonly ready?: true;
  /** The name and the data of a message. */
  readonly handled?: readonly [name: string, data: unknown];
  readonly answer?: unknown;
  readonly failed?: string;
}

/** A server or a client of Nest in a process of its own. */
export class Victim {
  readonly role: VictimSettings['role'];
  readonly deeds: Deed[] = [];
  /** Resolves when it has ended. */
  readonly ended: Promise<unknown>;
  readonly #child: ChildProcess;
  readonly #changes = new EventEmitter();
  #hasEnded = false;

  private constructor(settings: VictimSettings) {
    this.role = settings.role;
    // Its last words are those of Node about an error that nothing has handled.
    this.#child = fork(FILE, [JSON.stringify(settings)], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#child.on('message', (deed: Deed) => {
      this.deeds.push(deed);
      this.#changes.emit('change');
    });
    this.ended = once(this.#child, 'exit').then(() => {
      this.#hasEnded = true;
      this.#changes.emit('change');
    });
  }

  /** Resolves when it serves, or can call. */
  static async start(settings: VictimSettings): Promise<Victim> {
    const victim = new Victim(settings);
    await victim.until(({ ready }) => ready === true);
    if (victim.hasEnded) throw new Error(`The ${settings.role} at ${settings.url} has ended before it was ready`);
    return victim;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  call(name: string, data: unknown): void {
    if (!this.#hasEnded) this.#child.send({ name, data });
  }

  /** Resolves when it has done something, or has ended. */
  async until(isSo: (deed: Deed) => boolean): Promise<void> {
    while (!this.#hasEnded && !this.deeds.some(isSo)) await once(this.#changes, 'change');
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}
