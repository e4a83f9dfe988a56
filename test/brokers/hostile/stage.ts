import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { createKeyFile } from '@sealwire/crypto';

import { Engine } from '../engines/engine.js';
import type { OpenBroker, SeenMessage, Stranger } from '../strangers/stranger.js';
import { Victim } from './victim.js';
import type { Deed } from './victim.js';

const PATIENCE_MS = 1000;
const SEEN_MS = 30_000;
const POLL_MS = 5;

export interface Cast {
  readonly server: Victim;
  readonly client: Victim;
}

/** A broker, a server and a client of Nest at it, and a stranger who sees what passes. */
export class Stage {
  readonly broker: OpenBroker;
  readonly stranger: Stranger;
  readonly seen: SeenMessage[] = [];
  readonly #engine: Engine;
  readonly #directory: string;
  readonly #keyFile: string | undefined;
  readonly #victims = new Map<Victim['role'], Victim>();
  #calls = 0;

  private constructor(broker: OpenBroker, engine: Engine, stranger: Stranger, directory: string, isSealed: boolean) {
    this.broker = broker;
    this.stranger = stranger;
    this.#engine = engine;
    this.#directory = directory;
    this.#keyFile = isSealed ? join(directory, 'aes_key.bin') : undefined;
  }

  static async open(broker: OpenBroker, { isSealed }: { readonly isSealed: boolean }): Promise<Stage> {
    const engine = await Engine.start(broker.kind);
    const stranger = await broker.connect(engine.url);
    const directory = await mkdtemp(join(tmpdir(), 'sealwire-stage-'));
    const stage = new Stage(broker, engine, stranger, directory, isSealed);
    if (stage.#keyFile !== undefined) await createKeyFile(stage.#keyFile);
    await stranger.watch((message) => void stage.seen.push(message));
    return stage;
  }

  /** Returns a server and a client that work together: those of before, unless one has ended. */
  async cast(): Promise<Cast> {
    const [server, client] = await Promise.all([this.#living('server'), this.#living('client')]);
    await this.honestCall({ server, client });
    return { server, client };
  }

  /** Resolves when the client has its answer, and so both have received all that came before; or when one has ended. */
  async honestCall({ server, client }: Cast): Promise<void> {
    const data = `honest ${(this.#calls += 1)}`;
    const isAnswer = ({ answer }: Deed): boolean => answer === data;
    while (!server.hasEnded && !client.hasEnded && !client.deeds.some(isAnswer)) {
      client.call('victim.echo', data);
      await Promise.race([client.until(isAnswer), server.ended, delay(PATIENCE_MS)]); // before the server has subscribed
    }
  }

  /**
   * Resolves with a message that the stranger has seen. A broker may give it to the server first.
   *
   * @param before - How many messages it had seen when this one was sent.
   * @throws {Error} If the broker shows it no such message.
   */
  async hasSeen(name: string, before: number): Promise<SeenMessage> {
    const deadlineMs = performance.now() + SEEN_MS;
    while (performance.now() < deadlineMs) {
      const message = this.seen.slice(before).find((seen) => seen.name === name);
      if (message !== undefined) return message;
      await delay(POLL_MS);
    }
    throw new Error(`The broker has shown no message to ${name} within ${SEEN_MS} ms`);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#victims.values()].map((victim) => victim.stop()));
    await this.stranger.close();
    await this.#engine.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #living(role: Victim['role']): Promise<Victim> {
    const known = this.#victims.get(role);
    if (known?.hasEnded === false) return known;
    const victim = await Victim.start({
      role,
      broker: this.broker.name,
      url: this.#engine.url,
      keyFile: this.#keyFile,
    });
    this.#victims.set(role, victim);
    return victim;
  }
}
