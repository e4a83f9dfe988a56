// The places of values in their answer: what a server seals, and what a client checks.
import { randomBytes } from '@sealwire/crypto/internal';

import type { AnswerPlace } from './inner-message.js';

const ID_BYTES = 12;

/** Numbers the values of one answer at its server. */
export class AnswerNumbers {
  readonly #id = randomBytes(ID_BYTES).toString('base64url');
  #next = 0;

  /** The place of the next value. */
  get place(): AnswerPlace {
    return { id: this.#id, number: this.#next };
  }

  /** Advances to the next place after a value was sealed, because a place is used once. */
  advance(): void {
    this.#next += 1;
  }
}

/** Checks the order of the values of one answer at its client. The first server that answers is the only one. */
export class AnswerOrder {
  #id: string | undefined;
  #next = 0;

  /** Returns whether a value is the next one, a known or another server's one, or comes after one that is missing. */
  take({ id, number }: AnswerPlace): 'next' | 'again' | 'gap' {
    if (this.#id !== undefined && id !== this.#id) return 'again';
    if (number < this.#next) return 'again';
    if (number > this.#next) return 'gap';
    this.#id = id;
    this.#next += 1;
    return 'next';
  }
}
