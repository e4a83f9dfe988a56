import { wireError } from '@sealwire/channel/internal';

import { AnswerNumbers } from './answer-order.js';
import type { AnswerPlace } from './inner-message.js';

export interface SealedAnswerOptions<Value, Sent> {
  /** Seals a value with its place, and sends it. */
  readonly send: (place: AnswerPlace, value: Value) => Sent;
  /** Sent in place of a value that cannot be sent: the error of the caller. */
  readonly failure: Value;
  readonly onFailed: (error: unknown) => void;
}

/** The values of one answer. Each is sealed with its number, so that the client notices one that is missing. */
export class SealedAnswer<Value, Sent> {
  readonly #options: SealedAnswerOptions<Value, Sent>;
  readonly #numbers = new AnswerNumbers();

  constructor(options: SealedAnswerOptions<Value, Sent>) {
    this.#options = options;
  }

  /** Sends a value. Never throws: if it cannot be sent, the caller gets an error instead. Undefined: nothing was sent. */
  respond(value: Value): Sent | undefined {
    try {
      return this.#send(value);
    } catch (error) {
      this.#options.onFailed(error);
      return this.#fail();
    }
  }

  #send(value: Value): Sent {
    const sent = this.#options.send(this.#numbers.place, value);
    this.#numbers.advance();
    return sent;
  }

  /**
   * Sends an error in place of a value that the library refused, because the broker would not take it. After any other
   * failure, this error cannot be sent either.
   */
  #fail(): Sent | undefined {
    try {
      return this.#send(this.#options.failure);
    } catch {
      return undefined; // the connection is closed
    }
  }
}

/** Returns the answer of Nest in place of one that cannot be sent. */
export function failedPacket(): Buffer {
  return Buffer.from(JSON.stringify({ err: wireError('ERR_MESSAGE_TOO_LARGE'), isDisposed: true }));
}
