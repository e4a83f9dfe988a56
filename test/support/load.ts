import { setTimeout as delay } from 'node:timers/promises';

import { TransportError } from '@sealwire/transport';
import type { SealwireClient } from '@sealwire/transport';
import { lastValueFrom } from 'rxjs';

const LOOPS = 50;
/** The events that are on their way at the same time. */
const EVENTS = 5;
/** Between two calls of a loop: other processes need the processor as well. */
const PAUSE_MS = 10;

/** A request or an event that failed. */
export interface LoadFailure {
  readonly call: string;
  readonly message: string;
  /** Undefined if the error does not say it. */
  readonly sent: boolean | undefined;
}

/**
 * 50 loops of requests, and one of numbered events, five at a time. Every second loop asks for `slow`, the others for
 * `echo`; the event is `count`.
 */
export class Load {
  readonly failures: LoadFailure[] = [];
  /** The numbers of the events that were acknowledged. */
  readonly acknowledged: number[] = [];
  readonly #client: SealwireClient;
  readonly #loops: readonly Promise<void>[];
  #answers = 0;
  #isStopped = false;

  constructor(client: SealwireClient) {
    this.#client = client;
    const requests = Array.from({ length: LOOPS }, (_, loop) => this.#request(loop));
    this.#loops = [...requests, this.#emit()];
  }

  /** The number of requests that were answered. */
  get answers(): number {
    return this.#answers;
  }

  /** Resolves when the last request is answered and the last event is acknowledged. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#loops);
  }

  async #request(loop: number): Promise<void> {
    const pattern = loop % 2 === 0 ? 'slow' : 'echo';
    for (let number = 0; !this.#isStopped; number++) {
      const id = `${pattern} ${loop}.${number}`;
      await this.#attempt(id, async () => {
        const answer: unknown = await lastValueFrom(this.#client.send(pattern, id));
        if (answer !== id) throw new Error(`The answer is ${JSON.stringify(answer)}`);
        this.#answers += 1;
      });
    }
  }

  async #emit(): Promise<void> {
    for (let first = 0; !this.#isStopped; first += EVENTS) {
      const numbers = Array.from({ length: EVENTS }, (_, index) => first + index);
      await Promise.all(numbers.map((number) => this.#emitOne(number)));
    }
  }

  #emitOne(number: number): Promise<void> {
    return this.#attempt(`event ${number}`, async () => {
      await lastValueFrom(this.#client.emit('count', number), { defaultValue: undefined });
      this.acknowledged.push(number);
    });
  }

  async #attempt(call: string, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      const sent = error instanceof TransportError ? error.sent : undefined;
      this.failures.push({ call, message: String(error), sent });
    }
    await delay(PAUSE_MS);
  }
}
