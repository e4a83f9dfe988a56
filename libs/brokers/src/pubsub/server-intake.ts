import { Claims, groupOf } from '../seal/claims.js';
import type { SealedCall, SealedCalls } from '../handler/sealed-calls.js';
import type { SealedSession } from '../seal/sealed-session.js';
import type { SealedMessage } from '../seal/seals.js';
import { AnswerSealer } from './answer-sealer.js';

/** A message as the broker has delivered it. */
export interface Arrival {
  /** The subscription; another one may deliver the same message once more. */
  readonly subscription: string;
  readonly subject: string;
  /** The one that the message must be sealed for; undefined: any. */
  readonly bound: string | undefined;
  /** Returns whether the handler of the message is also that of the subject that was sealed. */
  readonly accepts?: (sealedSubject: string) => boolean;
  readonly data: Uint8Array | string;
}

/** How Nest handles a message. */
export interface Handling {
  readonly plain: () => unknown;
  /** @param answer - Undefined for an event. */
  readonly sealed: (message: SealedMessage, answer: AnswerSealer | undefined) => unknown;
}

export interface ServerIntakeOptions {
  readonly session: SealedSession;
  readonly calls: SealedCalls;
  readonly onFailed: (error: unknown) => void;
}

/** Opens the messages of a server whose transport names the answers after the requests: Redis and MQTT. */
export class ServerIntake {
  readonly #session: SealedSession;
  readonly #calls: SealedCalls;
  readonly #claims: Claims | undefined;
  readonly #onFailed: (error: unknown) => void;

  constructor({ session, calls, onFailed }: ServerIntakeOptions) {
    const { replayStore, maxAgeMs } = session.settings;
    this.#session = session;
    this.#calls = calls;
    this.#onFailed = onFailed;
    this.#claims = replayStore && new Claims(replayStore, maxAgeMs, onFailed);
  }

  /** Resolves after Nest has taken the message, if it opens. Never rejects. */
  async receive(arrival: Arrival, handling: Handling): Promise<void> {
    try {
      await this.#receive(arrival, handling);
    } catch (error) {
      this.#onFailed(error);
    }
  }

  async #receive({ subscription, subject, bound, accepts, data }: Arrival, { plain, sealed }: Handling): Promise<void> {
    const received = this.#session.seals.openerOf(subscription)(subject, bound, data);
    if (received.kind === 'plain') await plain();
    // A subscription with a wildcard also gets the answers of this server.
    if (received.kind !== 'sealed' || received.head.answer !== undefined) return;
    if (accepts?.(received.subject) === false) {
      this.#session.seals.refuse('subject', subject, received.key);
      return;
    }
    const refusal = await this.#claim(received, subscription);
    if (refusal === 'again') return;
    const { head, key, id, envelope } = received;
    const isRequest = head.request !== undefined && head.reply !== undefined;
    const call: SealedCall = { key, id, envelope, pattern: received.subject, isRequest, refusal };
    await this.#calls.run(call, () => sealed(received, isRequest ? this.#answer(received) : undefined));
  }

  /** Resolves with the reason why no handler may have the message; `again`: nor may its caller get an answer. */
  async #claim(
    { subject, id, key, envelope }: SealedMessage,
    subscription: string,
  ): Promise<SealedCall['refusal'] | 'again'> {
    const claim = (await this.#claims?.claim(subject, `${id}.${groupOf(subscription)}`, envelope.length)) ?? 'first';
    if (claim === 'first') return undefined;
    this.#session.seals.refuse(claim === 'again' ? 'replay' : claim, subject, key);
    return claim;
  }

  #answer({ head: { reply = '', request }, key }: SealedMessage): AnswerSealer {
    return new AnswerSealer({ seals: this.#session.seals, key, subject: reply, request });
  }
}
