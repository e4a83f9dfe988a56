import type { AnswerPlace } from './inner-message.js';

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
