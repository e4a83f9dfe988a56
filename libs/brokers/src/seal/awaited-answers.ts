import { AnswerOrder } from './answer-order.js';
import type { AnswerPlace } from './inner-message.js';

interface Awaited {
  /** Of the key that sealed the request; undefined for a plain one. */
  readonly keyId: string | undefined;
  readonly order: AnswerOrder;
}

/** The requests of a client whose answers arrive at one place, by the id that binds an answer to its request. */
export class AwaitedAnswers {
  readonly #requests = new Map<string, Awaited>();

  /** Adds a request before it is sent. */
  add(id: string, keyId: string | undefined): void {
    this.#requests.set(id, { keyId, order: new AnswerOrder() });
  }

  delete(id: string): void {
    this.#requests.delete(id);
  }

  has(id: string): boolean {
    return this.#requests.has(id);
  }

  /**
   * Returns `next` for a value that the caller gets, `gap` if one before it is missing. `unknown`: nothing waits for it,
   * because the request has ended.
   */
  take(id: string, keyId: string, place: AnswerPlace): 'next' | 'again' | 'gap' | 'key' | 'unknown' {
    const request = this.#requests.get(id);
    if (request === undefined) return 'unknown';
    return request.keyId === keyId ? request.order.take(place) : 'key';
  }
}
