import type { ServerStream } from '@sealwire/channel';
import { IdTable } from '@sealwire/channel/internal';

/** A limited count of waiting bytes. */
export class WaitingBytes {
  readonly #max: number;
  #bytes = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#max;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /** @returns A function that releases them; further calls do nothing. */
  hold(bytes: number): () => void {
    let held = bytes;
    this.add(held);
    return () => {
      this.add(-held);
      held = 0;
    };
  }
}

/** The memory of the messages of one connection that wait for their deserializer or for a handler. */
export class WaitingMessages {
  readonly #own: WaitingBytes;
  readonly #total: WaitingBytes;
  readonly #weights = new IdTable<number>();

  constructor(max: number, total: WaitingBytes) {
    this.#own = new WaitingBytes(max);
    this.#total = total;
  }

  get isFull(): boolean {
    return this.#own.isFull || this.#total.isFull;
  }

  add(stream: ServerStream, weight: number): void {
    this.#weights.set(stream.id, weight);
    this.#count(weight);
  }

  /** Removes the message of a stream, if it was waiting. */
  remove(stream: ServerStream): void {
    const weight = this.#weights.get(stream.id);
    if (weight === undefined) return;
    this.#weights.delete(stream.id);
    this.#count(-weight);
  }

  #count(bytes: number): void {
    this.#own.add(bytes);
    this.#total.add(bytes);
  }
}
