import type { KeySource, SecretKey } from '@sealwire/crypto';
import { clock } from '@sealwire/crypto/internal';

import { sealJwe } from './jwe.js';
import { jtiSequence } from './jti.js';
import { checkOptions } from './options.js';
import type { EnvelopeOptions } from './options.js';

/**
 * The maximum number of envelopes under one key, summed over all processes. The key must be replaced before that,
 * because the IVs are random and CBC loses its security near this number (docs/envelope.md §7).
 */
export const MAX_ENVELOPES_PER_KEY = 2 ** 32;

/** An envelope that was sealed. */
export interface Sealed {
  /** A compact JWE, ASCII. */
  readonly envelope: string;
  /** `<key id>.<jti>`, the `id` of the {@link Opened} envelope. */
  readonly id: string;
}

/** Seals messages for one service. Synchronous; make one and keep it. */
export class EnvelopeSealer {
  readonly #keys: KeySource;
  readonly #service: string;
  readonly #maxEnvelopeBytes: number | undefined;
  readonly #nextJti = jtiSequence();
  readonly #sealed = new Map<string, number>();

  /** @throws {EnvelopeError} `ERR_ENVELOPE_OPTION` */
  constructor(options: EnvelopeOptions) {
    checkOptions(options);
    this.#keys = options.keys;
    this.#service = options.service;
    this.#maxEnvelopeBytes = options.maxEnvelopeBytes;
  }

  /**
   * Seals one message.
   *
   * @param subject - The subject of the message, such as `nats:orders.created`. The receiver must expect the same text.
   * @param plaintext - Any number of bytes. Read, never kept.
   * @param key - For a reply, the key of the request. Default: the primary key.
   * @returns A compact JWE, ASCII.
   * @throws {EnvelopeError} `ERR_ENVELOPE_HEADER` - the subject is malformed or too long; `ERR_ENVELOPE_TOO_LARGE`.
   * @throws {CryptoError} `ERR_KEYRING_NO_PRIMARY`, or any error of the source of keys.
   */
  seal(subject: string, plaintext: Uint8Array, key?: SecretKey): string {
    return this.sealWithId(subject, plaintext, key).envelope;
  }

  /** Seals like {@link seal}, and also returns the id, with which a sender can find the message or publish it again. */
  sealWithId(subject: string, plaintext: Uint8Array, key: SecretKey = this.#keys.primary): Sealed {
    const iat = Math.floor(clock.unixMs() / 1000);
    const jti = this.#nextJti();
    const envelope = sealJwe(key, { aud: this.#service, sub: subject, jti, iat }, plaintext, this.#maxEnvelopeBytes);
    this.#sealed.set(key.id, (this.#sealed.get(key.id) ?? 0) + 1);
    return { envelope, id: `${key.id}.${jti}` };
  }

  /**
   * The number of envelopes that this object has sealed, by the id of the key. Compare the sum of all processes with
   * {@link MAX_ENVELOPES_PER_KEY}.
   */
  get sealed(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#sealed);
  }
}
