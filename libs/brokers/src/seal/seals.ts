import type { KeySource, SecretKey } from '@sealwire/crypto';
import { EnvelopeOpener, EnvelopeSealer } from '@sealwire/envelope';

import { CallTrace } from '../call-trace.js';
import { decodeInner, encodeInner } from './inner-message.js';
import type { InnerHead } from './inner-message.js';
import type { RefusalReason, Refusals } from './refusals.js';
import type { SealSettings } from './seal-options.js';

export interface SealsOptions {
  readonly scheme: string;
  readonly settings: SealSettings;
  readonly keys: KeySource;
  readonly refusals: Refusals;
}

/** A message that was opened. */
export interface SealedMessage {
  readonly kind: 'sealed';
  readonly head: InnerHead;
  readonly payload: Buffer;
  readonly key: SecretKey;
  /** As sealed, without the scheme. */
  readonly subject: string;
  /** Unique: `<key id>.<sender>.<counter>`. */
  readonly id: string;
  /** The message as it arrived. */
  readonly envelope: Uint8Array;
}

/** `plain` only in the mode `open-only`. */
export type ReceivedMessage = SealedMessage | { readonly kind: 'plain' } | { readonly kind: 'refused' };

/**
 * Opens one message, and never throws.
 *
 * @param arrivedAt - The name under which the broker delivered it.
 * @param subject - The one that it must be sealed for; undefined: any.
 */
export type Open = (arrivedAt: string, subject: string | undefined, data: Uint8Array | string) => ReceivedMessage;

type Delivery = 'window' | 'off' | 'durable';

export interface SubscriptionOptions {
  /** As of {@link Seals.opener}: `window` unless given. */
  readonly delivery?: Delivery;
  /** Reasons that honest messages for others have, too. */
  readonly uncounted?: readonly RefusalReason[];
}

/** Seals and opens the messages of one end with the keys of its session. */
export class Seals {
  readonly settings: SealSettings;
  readonly #scheme: string;
  readonly #keys: KeySource;
  readonly #refusals: Refusals;
  readonly #sealer: EnvelopeSealer;
  readonly #openers = new Map<string, Open>();

  constructor({ scheme, settings, keys, refusals }: SealsOptions) {
    this.settings = settings;
    this.#scheme = scheme;
    this.#keys = keys;
    this.#refusals = refusals;
    this.#sealer = new EnvelopeSealer({ keys, service: settings.service });
  }

  /** The key of new messages. @throws {CryptoError} `ERR_KEYRING_NO_PRIMARY` */
  get primary(): SecretKey {
    return this.#keys.primary;
  }

  /**
   * @returns An envelope, ASCII.
   * @throws {EnvelopeError} `ERR_ENVELOPE_HEADER`, `ERR_ENVELOPE_TOO_LARGE`
   */
  seal(subject: string, head: InnerHead, payload: Uint8Array | string, key: SecretKey): string {
    const envelope = this.#sealer.seal(this.#named(subject), encodeInner(head, payload), key);
    CallTrace.current?.noteSealed(envelope.length);
    return envelope;
  }

  /** Returns the opener of a subscription, always the same. Its name must be one of a bounded number. */
  openerOf(subscription: string, { delivery = 'window', uncounted }: SubscriptionOptions = {}): Open {
    const name = `${delivery} ${subscription}`;
    const known = this.#openers.get(name);
    if (known !== undefined) return known;
    const open = this.opener(delivery, uncounted);
    this.#openers.set(name, open);
    return open;
  }

  /**
   * Returns a function that opens messages. Subscriptions on which the same message may arrive each need one of their own.
   *
   * @param delivery - `off` if something else refuses a message that is delivered again. `durable` if the broker stores
   *   messages, and so delivers them late and again: neither their age nor their number is checked.
   * @param uncounted - Reasons that honest messages for others have, too.
   */
  opener(delivery: Delivery, uncounted: readonly RefusalReason[] = []): Open {
    const { service, maxAgeMs, isSealing } = this.settings;
    const checks =
      delivery === 'durable' ? ({ maxAgeMs: 'off', replay: 'off' } as const) : { maxAgeMs, replay: delivery };
    const opener = new EnvelopeOpener({ keys: this.#keys, service, ...checks });
    return (arrivedAt, subject, data) => {
      const opened = opener.open(subject === undefined ? undefined : this.#named(subject), data);
      if (!opened.ok) {
        if (opened.reason === 'form' && !isSealing) return { kind: 'plain' };
        return uncounted.includes(opened.reason) ? { kind: 'refused' } : this.refuse(opened.reason, arrivedAt);
      }
      const inner = decodeInner(opened.plaintext);
      const isOfScheme = opened.subject.startsWith(this.#named(''));
      const { key, id } = opened;
      if (inner === undefined || !isOfScheme) return this.refuse(isOfScheme ? 'form' : 'subject', arrivedAt, key);
      const sealedFor = opened.subject.slice(this.#named('').length);
      const envelope = typeof data === 'string' ? Buffer.from(data) : data;
      return { kind: 'sealed', ...inner, key, subject: sealedFor, id, envelope };
    };
  }

  /** Counts a message that is not passed on. */
  refuse(reason: RefusalReason, arrivedAt: string, key?: SecretKey): { readonly kind: 'refused' } {
    this.#refusals.add(reason, this.#named(arrivedAt), key?.id);
    return { kind: 'refused' };
  }

  #named(subject: string): string {
    return `${this.#scheme}:${subject}`;
  }
}
