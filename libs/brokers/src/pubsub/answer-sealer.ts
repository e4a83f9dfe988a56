import { wireError } from '@sealwire/channel/internal';
import type { SecretKey } from '@sealwire/crypto';

import { AnswerNumbers } from '../seal/answer-order.js';
import type { InnerParts } from '../seal/inner-message.js';
import type { Seals } from '../seal/seals.js';

export interface AnswerSealerOptions {
  readonly seals: Seals;
  /** Of the request. */
  readonly key: SecretKey;
  /** Where the client expects the answer. */
  readonly subject: string;
  readonly request: string | undefined;
}

/** Seals the values of one answer, each with its number, so that the client notices one that is missing. */
export class AnswerSealer {
  readonly #options: AnswerSealerOptions;
  readonly #numbers = new AnswerNumbers();

  constructor(options: AnswerSealerOptions) {
    this.#options = options;
  }

  /** @throws {EnvelopeError} `ERR_ENVELOPE_TOO_LARGE`; the next value takes the place of this one. */
  seal(payload: Uint8Array | string, parts?: InnerParts): string {
    const { seals, key, subject, request } = this.#options;
    const head = { ...parts, request, answer: this.#numbers.place };
    const envelope = seals.seal(subject, head, payload, key);
    this.#numbers.advance();
    return envelope;
  }
}

/** Sends one value, or the error or the end of an answer: what Nest's servers call a publisher. */
export type Respond = (packet: object) => unknown;

/** Returns a function that never throws or rejects. The caller gets an error in place of a value that cannot be sent. */
export function safely(respond: Respond, onFailed: (error: unknown) => void): Respond {
  return async (packet) => {
    try {
      await respond(packet);
    } catch (error) {
      onFailed(error);
      await respondFailure(respond, onFailed);
    }
  };
}

async function respondFailure(respond: Respond, onFailed: (error: unknown) => void): Promise<void> {
  try {
    await respond({ err: wireError('ERR_MESSAGE_TOO_LARGE'), isDisposed: true });
  } catch (error) {
    onFailed(error);
  }
}
