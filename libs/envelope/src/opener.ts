import type { SecretKey } from '@sealwire/crypto';
import { clock } from '@sealwire/crypto/internal';

import type { ReadHeader } from './header.js';
import { openJwe } from './jwe.js';
import type { OpenJweOptions, Refusal, Refused } from './jwe.js';
import { checkOpenerOptions, DEFAULT_MAX_AGE_MS } from './options.js';
import type { EnvelopeOpenerOptions } from './options.js';
import { ReplayWindow } from './replay-window.js';

/** An envelope that was opened. */
export interface Opened {
  readonly ok: true;
  /** A fresh buffer, which belongs to the caller. */
  readonly plaintext: Uint8Array;
  /**
   * The key that sealed it; its `patterns` and `label` are those of the holder. A reply is sealed with the same key.
   */
  readonly key: SecretKey;
  /** The subject that was sealed into the envelope. */
  readonly subject: string;
  /** The `jti` of the envelope, unique for one key. */
  readonly jti: string;
  /**
   * `<key id>.<jti>`: unique for all keys. A {@link ReplayStore} claims it, and a handler may use it for idempotency.
   */
  readonly id: string;
  /** `iat` in milliseconds since 1970, a multiple of 1,000. */
  readonly issuedAt: number;
}

/**
 * Opens envelopes of one service. Synchronous, and never throws because of an envelope. Every object has a replay window
 * of its own: if a message arrives on several subscriptions, each of them needs its own object.
 */
export class EnvelopeOpener {
  readonly #keys: OpenJweOptions['keys'];
  readonly #service: string;
  readonly #maxEnvelopeBytes: number | undefined;
  readonly #maxAgeMs: number;
  readonly #isOnce: boolean;
  /** By the id of the key, so that the holder of one key cannot use up the ids, or the room, of another. */
  readonly #windows = new Map<string, ReplayWindow>();

  /** @throws {EnvelopeError} `ERR_ENVELOPE_OPTION` */
  constructor(options: EnvelopeOpenerOptions) {
    checkOpenerOptions(options);
    const { keys, service, maxEnvelopeBytes, maxAgeMs = DEFAULT_MAX_AGE_MS, replay = 'window' } = options;
    this.#keys = keys;
    this.#service = service;
    this.#maxEnvelopeBytes = maxEnvelopeBytes;
    this.#maxAgeMs = maxAgeMs === 'off' ? Infinity : maxAgeMs;
    this.#isOnce = replay === 'window';
  }

  /**
   * Verifies and decrypts an envelope. Never throws for an envelope from outside: it returns the reason.
   *
   * @param subject - The subject on which the message arrived, written as its sender writes it. Undefined accepts every
   *   subject: then compare {@link Opened.subject} with what the message claims to be.
   * @param envelope - The bytes of the broker, or their text. Never changed.
   */
  open(subject: string | undefined, envelope: string | Uint8Array): Opened | Refused {
    const opened = openJwe(envelope, {
      keys: this.#keys,
      maxEnvelopeBytes: this.#maxEnvelopeBytes,
      check: (header) => this.#check(header, subject),
    });
    if (!opened.ok) return opened;
    const { plaintext, key, header } = opened;
    const { sub, jti, iat } = header;
    return { ok: true, plaintext, key, subject: sub, jti, id: `${key.id}.${jti}`, issuedAt: iat * 1000 };
  }

  #check({ kid, aud, sub, iat, id }: ReadHeader, subject: string | undefined): Refusal | undefined {
    if (aud !== this.#service) return 'audience';
    if (subject !== undefined && sub !== subject) return 'subject';
    if (Math.abs(clock.unixMs() - iat * 1000) > this.#maxAgeMs) return 'age';
    if (this.#isOnce && !this.#windowOf(kid).claim(id, iat, clock.nowMs())) return 'replay';
    return undefined;
  }

  #windowOf(kid: string): ReplayWindow {
    const known = this.#windows.get(kid);
    if (known !== undefined) return known;
    const nowMs = clock.nowMs();
    for (const window of this.#windows.values()) window.forget(nowMs); // its key may be out of use
    // Accepted from maxAgeMs before `iat` to maxAgeMs after it.
    const window = new ReplayWindow({ lifetimeMs: 2 * this.#maxAgeMs }, nowMs);
    this.#windows.set(kid, window);
    return window;
  }
}
