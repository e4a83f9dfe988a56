// One JSON value in each envelope, for brokers that keep messages and deliver them again: JetStream, RabbitMQ queues, Kafka.
import { WatchedKeyFile } from '@sealwire/crypto';
import type { WatchedKeyFileOptions } from '@sealwire/crypto';

import { EnvelopeError } from './errors.js';
import { refused } from './jwe.js';
import type { Refused } from './jwe.js';
import { EnvelopeOpener } from './opener.js';
import { checkSubject } from './options.js';
import type { EnvelopeOptions } from './options.js';
import { EnvelopeSealer } from './sealer.js';

/** The keys, the service and the subject of a codec. */
export interface SealwireCodecOptions extends EnvelopeOptions {
  /**
   * The subject that is sealed into every message. Messages with another subject are refused. It must be given here,
   * because a broker does not pass the subject of a message to a codec.
   */
  readonly subject: string;
}

/** The options of {@link SealwireCodec.watch}. */
export type WatchedCodecOptions = Omit<SealwireCodecOptions, 'keys'> & WatchedKeyFileOptions;

/** A message that was sealed. */
export interface SealedData {
  /** The envelope, ASCII. To send the message again, send the same bytes: sealing again would change the id. */
  readonly bytes: Uint8Array;
  /** `<key id>.<jti>`, the same as {@link OpenedData.messageId}, for the duplicate check of the broker. */
  readonly messageId: string;
}

/** A message that was opened. */
export interface OpenedData {
  readonly ok: true;
  readonly data: unknown;
  /** `<key id>.<jti>`, unique for all keys: the idempotency key of the handler. Do not use a broker header instead. */
  readonly messageId: string;
  /** The id of the key that sealed it, 16 hexadecimal digits. */
  readonly keyId: string;
}

/**
 * Seals and opens stored messages, with the methods `encode` and `decode` of a codec. Synchronous. It opens a
 * message of any age any number of times, so a handler has to compare {@link OpenedData.messageId} with the ids of the
 * messages that it has handled.
 */
export class SealwireCodec {
  readonly #subject: string;
  readonly #sealer: EnvelopeSealer;
  readonly #opener: EnvelopeOpener;
  readonly #owned: { close(): void } | undefined;

  /**
   * @param owned - Closed by {@link close}.
   * @throws {EnvelopeError} `ERR_ENVELOPE_OPTION`
   */
  constructor({ subject, ...options }: SealwireCodecOptions, owned?: { close(): void }) {
    checkSubject(subject);
    this.#subject = subject;
    this.#sealer = new EnvelopeSealer(options);
    this.#opener = new EnvelopeOpener({ ...options, maxAgeMs: 'off', replay: 'off' });
    this.#owned = owned;
  }

  /**
   * Loads a key file, and watches it until {@link close}.
   *
   * @throws {CryptoError} An error of `WatchedKeyFile.open`.
   * @throws {EnvelopeError} `ERR_ENVELOPE_OPTION`
   */
  static async watch(keyFile: string, options: WatchedCodecOptions): Promise<SealwireCodec> {
    const keys = await WatchedKeyFile.open(keyFile, options);
    try {
      return new SealwireCodec({ ...options, keys }, keys);
    } catch (error) {
      keys.close();
      throw error;
    }
  }

  /** Seals like {@link seal}, and returns only the bytes. */
  encode(data: unknown): Uint8Array {
    return this.seal(data).bytes;
  }

  /**
   * Opens like {@link open}, but throws if the message is refused, for consumers that then terminate the message.
   *
   * @throws {EnvelopeError} `ERR_ENVELOPE_REFUSED`
   */
  decode(bytes: Uint8Array): unknown {
    const opened = this.open(bytes);
    if (opened.ok) return opened.data;
    const remedy = 'terminate it, and check the key file, the service, the subject, and who may publish to the stream';
    throw new EnvelopeError('ERR_ENVELOPE_REFUSED', `A message could not be opened (${opened.reason}): ${remedy}`);
  }

  /**
   * Seals data as JSON.
   *
   * @param data - A value of JSON, or undefined.
   * @throws {EnvelopeError} `ERR_ENVELOPE_UNSERIALIZABLE`, `ERR_ENVELOPE_HEADER`, `ERR_ENVELOPE_TOO_LARGE`
   * @throws {CryptoError} `ERR_KEYRING_NO_PRIMARY`, or any error of the source of keys.
   */
  seal(data: unknown): SealedData {
    const { envelope, id } = this.#sealer.sealWithId(this.#subject, toPlaintext(data));
    return { bytes: new TextEncoder().encode(envelope), messageId: id };
  }

  /** Opens a message. Never throws, whatever `bytes` is. The reason is for logs and counters; see {@link Refusal}. */
  open(bytes: Uint8Array): OpenedData | Refused {
    const opened = this.#opener.open(this.#subject, bytes);
    if (!opened.ok) return opened;
    const { plaintext, key, id } = opened;
    try {
      return { ok: true, data: fromPlaintext(plaintext), messageId: id, keyId: key.id };
    } catch {
      return refused('form'); // a holder of the key has sealed something else than JSON
    }
  }

  /** Ends the watch of the key file. The keys stay usable, and no longer change. May be called again. */
  close(): void {
    this.#owned?.close();
  }
}

/** Encodes data as JSON, and undefined as no bytes, because JSON has no word for it. */
function toPlaintext(data: unknown): Uint8Array {
  return new TextEncoder().encode(data === undefined ? '' : toJson(data));
}

function fromPlaintext(plaintext: Uint8Array): unknown {
  if (plaintext.length === 0) return undefined;
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plaintext));
}

function toJson(data: unknown): string {
  try {
    const json: unknown = JSON.stringify(data);
    if (typeof json === 'string') return json;
  } catch (cause) {
    throw unserializable({ cause });
  }
  throw unserializable();
}

function unserializable(options?: ErrorOptions): EnvelopeError {
  const message =
    'The data of a message cannot be represented as JSON; send plain objects, arrays, strings, numbers and booleans';
  return new EnvelopeError('ERR_ENVELOPE_UNSERIALIZABLE', message, options);
}
