// A message on the legacy wire (docs/protocol.md §9):   AES-128-CBC(key, iv, pad(text)), ended by FIN
import { TransportError } from '@sealwire/channel';

import type { LegacyKey } from './legacy-key.js';

export const MAX_CIPHERTEXT_BYTES = 1_048_576;

/** The data of a handler. The ciphertext is in the context. */
export interface LegacyMessage {
  /** The plaintext as UTF-8; invalid bytes become U+FFFD. */
  readonly text: string;
}

/**
 * @param content - A text, `{ text }`, or bytes that are sent unchanged.
 * @throws {TransportError} `ERR_MESSAGE_UNSERIALIZABLE`, `ERR_MESSAGE_TOO_LARGE`
 */
export function encodeMessage(key: LegacyKey, content: unknown): Buffer {
  const plaintext = bytesOf(content);
  if (plaintext.length >= MAX_CIPHERTEXT_BYTES) throw tooLarge(); // padding is never empty
  return key.encrypt(plaintext);
}

/** @throws {TransportError} `ERR_LEGACY_MALFORMED` */
export function decodeMessage(key: LegacyKey, ciphertext: Buffer): LegacyMessage {
  return { text: key.decrypt(ciphertext).toString('utf8') };
}

/** Collects the ciphertext of one message from its chunks. Its memory is linear in the bytes received. */
export class CiphertextGatherer {
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  /** @throws {TransportError} `ERR_MESSAGE_TOO_LARGE` - before it copies any of `chunk`. */
  push(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (length > MAX_CIPHERTEXT_BYTES) throw tooLarge();
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(MAX_CIPHERTEXT_BYTES, Math.max(length, 2 * this.#bytes.length)));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    chunk.copy(this.#bytes, this.#length);
    this.#length = length;
  }

  /** Returns the whole ciphertext. It then belongs to the caller, so `push` must not be called again. */
  take(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}

function bytesOf(content: unknown): Uint8Array {
  if (content instanceof Uint8Array) return content;
  if (typeof content === 'string') return Buffer.from(content);
  if (isLegacyMessage(content)) return Buffer.from(content.text);
  throw new TransportError(
    'ERR_MESSAGE_UNSERIALIZABLE',
    'The legacy wire cannot carry this data; expected a string, { text } or bytes',
    {
      sent: false,
    },
  );
}

function isLegacyMessage(content: unknown): content is LegacyMessage {
  return typeof content === 'object' && content !== null && 'text' in content && typeof content.text === 'string';
}

function tooLarge(): TransportError {
  const message = `The message is too large: the legacy wire carries at most ${MAX_CIPHERTEXT_BYTES} bytes of ciphertext`;
  return new TransportError('ERR_MESSAGE_TOO_LARGE', message, { sent: false });
}
