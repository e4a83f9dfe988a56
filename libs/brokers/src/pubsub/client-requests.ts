import { AsyncLocalStorage } from 'node:async_hooks';

import { randomBytes } from '@sealwire/crypto/internal';

import { answerIncomplete } from '../errors.js';
import { AwaitedAnswers } from '../seal/awaited-answers.js';
import type { InnerParts } from '../seal/inner-message.js';
import type { SealedSession } from '../seal/sealed-session.js';
import type { ReceivedMessage } from '../seal/seals.js';

const ID_BYTES = 12;
/** All subscriptions of a client share one window: each message arrives on one of them. */
const ANSWERS = 'answers';

interface Request {
  readonly id: string;
  /** Where its answer arrives. */
  readonly answersTo: string;
  readonly fail: (error: unknown) => void;
}

/**
 * The requests of a client whose transport has one name for the answers to all callers of a pattern: Redis, MQTT and
 * Kafka. An answer opens only for a request of this client, with the key of this request, and in order.
 */
export class ClientRequests {
  readonly #session: SealedSession;
  readonly #replyNameOf: (subject: string) => string;
  /** The requests that wait for the end of their answer. */
  readonly #waiting = new Map<string, Request>();
  /** Those of them that were sent. */
  readonly #awaited = new AwaitedAnswers();
  /** Nest publishes a request after it has subscribed to the answers: the async context has the request until then. */
  readonly #sending = new AsyncLocalStorage<Request | undefined>();

  /** @param replyNameOf - Returns the name under which the answers to a subject arrive. */
  constructor(session: SealedSession, replyNameOf: (subject: string) => string) {
    this.#session = session;
    this.#replyNameOf = replyNameOf;
  }

  /**
   * Runs Nest's sending of a request.
   *
   * @param subject - The subject on which the request is published.
   * @param fail - Ends the request with an error.
   * @returns A function that forgets the request, and calls the one that `send` has returned.
   */
  request(subject: string, fail: Request['fail'], send: () => () => void): () => void {
    const id = randomBytes(ID_BYTES).toString('base64url');
    const answersTo = this.#replyNameOf(subject);
    const request: Request = { id, answersTo, fail };
    this.#waiting.set(id, request);
    const end = this.#sending.run(request, send);
    return () => {
      this.#waiting.delete(id);
      this.#awaited.delete(id);
      end();
    };
  }

  /** Returns whether a request waits for its answer there, also one that is not sent yet. */
  isAwaited(name: string): boolean {
    return [...this.#waiting.values()].some(({ answersTo }) => answersTo === name);
  }

  /** Runs Nest's sending of an event, which may be called while a request is sent. */
  event<T>(send: () => T): T {
    return this.#sending.run(undefined, send);
  }

  /** Returns a function for a later call: what it publishes belongs to the request that is being sent. */
  keep<Args extends unknown[]>(callback: (...args: Args) => unknown): (...args: Args) => unknown {
    const inThisContext = AsyncLocalStorage.snapshot();
    return (...args) => inThisContext(callback, ...args);
  }

  /**
   * Seals and sends a message. If a request cannot be sealed or sent, it fails.
   *
   * @param send - Called with an envelope; in the mode `open-only` with the payload.
   * @throws {CryptoError} `ERR_KEYRING_NO_PRIMARY` - of an event.
   * @throws {EnvelopeError} `ERR_ENVELOPE_HEADER`, `ERR_ENVELOPE_TOO_LARGE` - of an event.
   */
  publish(
    subject: string,
    payload: Uint8Array | string,
    send: (data: Uint8Array | string) => unknown,
    parts?: InnerParts,
  ): unknown {
    const request = this.#sending.getStore();
    const sealAndSend = () => send(this.seal(subject, payload, parts) ?? payload);
    if (request === undefined) return sealAndSend();
    void (async () => sealAndSend())().catch(request.fail);
    return undefined;
  }

  /**
   * Seals a message, which is that of the request that is being sent, if there is one.
   *
   * @returns An envelope; in the mode `open-only` undefined.
   * @throws {CryptoError} `ERR_KEYRING_NO_PRIMARY`
   * @throws {EnvelopeError} `ERR_ENVELOPE_HEADER`, `ERR_ENVELOPE_TOO_LARGE`
   */
  seal(subject: string, payload: Uint8Array | string, parts: InnerParts = {}): string | undefined {
    if (!this.#session.settings.isSealing) return undefined;
    const { seals } = this.#session;
    const request = this.#sending.getStore();
    const key = seals.primary;
    if (request === undefined) return seals.seal(subject, parts, payload, key);
    const { id, answersTo } = request;
    this.#awaited.add(id, key.id);
    return seals.seal(subject, { ...parts, request: id, reply: answersTo }, payload, key);
  }

  /** Returns the answer if it is the next one to a request of this client; undefined if Nest must not get it. */
  open(name: string, data: Uint8Array | string): Exclude<ReceivedMessage, { kind: 'refused' }> | undefined {
    const { seals } = this.#session;
    // Other callers of the same pattern may have other keys.
    const received = seals.openerOf(ANSWERS, { uncounted: ['key'] })(name, name, data);
    if (received.kind === 'plain') return received;
    if (received.kind === 'refused') return undefined;
    const { head, key } = received;
    const { answer, request = '' } = head;
    if (answer === undefined) {
      seals.refuse('subject', name, key);
      return undefined;
    }
    const place = this.#awaited.take(request, key.id, answer);
    if (place === 'next') return received;
    if (place === 'unknown') return undefined; // to another caller, or too late
    seals.refuse(place === 'key' ? 'key' : 'order', name, key);
    if (place === 'gap') this.#waiting.get(request)?.fail(answerIncomplete());
    return undefined;
  }
}
