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
  /** Whether the broker stores the message, and so delivers it late and again: neither age nor replay is checked. */
  readonly isDurable?: boolean;
  readonly data: Uint8Array | string;
}

/** A message that Nest may have. */
export type Accepted = { readonly kind: 'plain' } | AcceptedMessage;

export interface AcceptedMessage {
  readonly kind: 'sealed';
  readonly message: SealedMessage;
  readonly call: SealedCall;
  /** Undefined for an event. */
  readonly answer: AnswerSealer | undefined;
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

/** Opens the messages of a server whose transport names the answers after the requests: Redis, MQTT and Kafka. */
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
  async receive(arrival: Arrival, { plain, sealed }: Handling): Promise<void> {
    try {
      const accepted = await this.accept(arrival);
      if (accepted?.kind === 'plain') await plain();
      if (accepted?.kind !== 'sealed') return;
      const { message, call, answer } = accepted;
      await this.#calls.run(call, () => sealed(message, answer));
    } catch (error) {
      this.#onFailed(error);
    }
  }

  /** Resolves with the opened message, or with undefined if Nest must not have it: it is counted then. */
  async accept(arrival: Arrival): Promise<Accepted | undefined> {
    const { subscription, subject, bound, accepts, isDurable = false, data } = arrival;
    const open = this.#session.seals.openerOf(subscription, { delivery: isDurable ? 'durable' : 'window' });
    const message = open(subject, bound, data);
    if (message.kind === 'plain') return message;
    // A subscription with a wildcard also gets the answers of this server.
    if (message.kind !== 'sealed' || message.head.answer !== undefined) return undefined;
    if (accepts?.(message.subject) === false) {
      this.#session.seals.refuse('subject', subject, message.key);
      return undefined;
    }
    const refusal = isDurable ? undefined : await this.#claim(message, subscription);
    if (refusal === 'again') return undefined;
    const { head, key, id, envelope, subject: sealedFor } = message;
    const { headers } = head;
    const isRequest = head.request !== undefined && head.reply !== undefined;
    const names = { pattern: sealedFor, destination: sealedFor };
    const call: SealedCall = { key, id, envelope, ...names, headers, isRequest, refusal };
    return { kind: 'sealed', message, call, answer: isRequest ? this.#answer(message) : undefined };
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
