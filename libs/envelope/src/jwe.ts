// The compact serialization (RFC 7516 §3.1) with `alg: dir` and `enc: A128CBC-HS256`, docs/envelope.md §4 and §5:
//
//   BASE64URL(header) '..' BASE64URL(iv) '.' BASE64URL(ciphertext) '.' BASE64URL(tag)
import type { KeySource, SecretKey } from '@sealwire/crypto';
import { report, sealedBytes } from '@sealwire/crypto/internal';

import { ciphersOf } from './envelope-ciphers.js';
import type { EnvelopeCiphers } from './envelope-ciphers.js';
import { EnvelopeError } from './errors.js';
import { MAX_HEADER_BYTES, readHeader, writeHeader } from './header.js';
import type { EnvelopeHeader, ReadHeader } from './header.js';
import { IV_BYTES, IvSource } from './iv-source.js';

const TAG_BYTES = 16;
/** BASE64URL of 16 bytes. */
const IV_CHARACTERS = 22;
const MAX_HEADER_CHARACTERS = Math.ceil((MAX_HEADER_BYTES * 4) / 3);
const ivs = new IvSource();

/** The default of `maxEnvelopeBytes`. */
export const MAX_ENVELOPE_BYTES = 16_777_216;

/**
 * The reason why an envelope was refused, for logs and counters of the receiver. The sender and the broker must not be
 * able to distinguish one reason from another.
 *
 * - `form`: not an envelope, or too large
 * - `key`: an unknown key, or one that cannot be used now
 * - `tag`: altered, or sealed with another key
 * - `audience`: sealed for another service
 * - `subject`: sealed for another subject
 * - `age`: sealed too long ago, or in the future
 * - `replay`: seen before, or older than the replay window
 */
export type Refusal = 'form' | 'key' | 'tag' | 'audience' | 'subject' | 'age' | 'replay';

/** The reason why an envelope was not opened. */
export interface Refused {
  readonly ok: false;
  readonly reason: Refusal;
}

/** An envelope that {@link openJwe} opened. */
export interface OpenedJwe {
  readonly ok: true;
  /** A fresh buffer, which belongs to the caller. */
  readonly plaintext: Uint8Array;
  /** The key that sealed it. */
  readonly key: SecretKey;
  readonly header: EnvelopeHeader;
}

/** The keys and the check for one envelope. */
export interface OpenJweOptions {
  /**
   * The source of the keys. Its `find` is called once. If `find` throws, the process emits a warning, and the envelope
   * is refused (`key`).
   */
  readonly keys: Pick<KeySource, 'find'>;
  /**
   * Called after the tag was verified and before anything is decrypted. If it returns a reason, the envelope is
   * refused. Without this check, an envelope for any service and subject, of any age, can be opened any number of times.
   */
  readonly check?: ((header: ReadHeader, key: SecretKey) => Refusal | undefined) | undefined;
  /** The largest envelope that is accepted, in bytes. Default: 16 MiB. */
  readonly maxEnvelopeBytes?: number | undefined;
}

/**
 * Seals one message, synchronously. A pair of `key` and `jti` must not occur twice; {@link EnvelopeSealer}
 * ensures this.
 *
 * @param plaintext - Any number of bytes. Read, never kept.
 * @returns ASCII; its length is about 4/3 of that of the plaintext, plus 350 bytes.
 * @throws {EnvelopeError} `ERR_ENVELOPE_HEADER` - a member of the header is malformed, or the header is longer than
 *   1,024 bytes. `ERR_ENVELOPE_TOO_LARGE` - longer than `maxEnvelopeBytes`.
 */
export function sealJwe(
  key: SecretKey,
  header: EnvelopeHeader,
  plaintext: Uint8Array,
  maxEnvelopeBytes = MAX_ENVELOPE_BYTES,
): string {
  const prefix = writeHeader(key.id, header).toString('base64url');
  checkSize(prefix.length, plaintext.length, maxEnvelopeBytes);
  return writeJwe(key, prefix, ivs.next(), plaintext);
}

/** @param prefix - BASE64URL of the header. */
export function writeJwe(key: SecretKey, prefix: string, iv: Buffer, plaintext: Uint8Array): string {
  const padded = Buffer.alloc(plaintext.length + IV_BYTES);
  padded.set(plaintext);
  const sealed = Buffer.allocUnsafe(sealedBytes(plaintext.length)); // nothing secret: it may be a part of Node's pool
  ciphersOf(key).sealing.sealInto(sealed, 0, iv, Buffer.from(prefix, 'latin1'), padded, plaintext.length);
  padded.fill(0);
  const tagStart = sealed.length - TAG_BYTES;
  const ciphertext = sealed.toString('base64url', 0, tagStart);
  return `${prefix}..${iv.toString('base64url')}.${ciphertext}.${sealed.toString('base64url', tagStart)}`;
}

/** Opens an envelope, synchronously. Never throws, whatever `envelope` is. */
export function openJwe(envelope: string | Uint8Array, options: OpenJweOptions): OpenedJwe | Refused {
  const parts = parse(envelope, options.maxEnvelopeBytes ?? MAX_ENVELOPE_BYTES);
  if (parts === undefined) return refused('form');
  const { header, aad, iv, ciphertext, tag } = parts;
  const found = find(options.keys, header.kid);
  if (found === undefined) return refused('key');
  const { key, ciphers } = found;
  if (!ciphers.opening.verify(iv, aad, ciphertext, tag)) return refused('tag');
  const reason = options.check?.(header, key);
  if (reason !== undefined) return refused(reason);
  try {
    return { ok: true, plaintext: ciphers.opening.decrypt(iv, ciphertext), key, header };
  } catch {
    return refused('tag'); // bad padding of a holder of the key
  }
}

export function refused(reason: Refusal): Refused {
  return { ok: false, reason };
}

interface Parts {
  readonly header: ReadHeader;
  /** The characters of the first part, which are the associated data (RFC 7516 §5.1, step 14). */
  readonly aad: Uint8Array;
  readonly iv: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

/** Returns undefined for everything that has not the one form of an envelope. */
function parse(envelope: string | Uint8Array, maxEnvelopeBytes: number): Parts | undefined {
  if (typeof envelope !== 'string' && !(envelope instanceof Uint8Array)) return undefined; // of a client in JavaScript
  if (envelope.length > maxEnvelopeBytes) return undefined;
  const text = typeof envelope === 'string' ? envelope : toLatin1(envelope);
  const headerEnd = text.indexOf('.');
  const ivStart = headerEnd + 2;
  const ivEnd = ivStart + IV_CHARACTERS;
  const ciphertextEnd = text.indexOf('.', ivEnd + 1);
  if (headerEnd === -1 || headerEnd > MAX_HEADER_CHARACTERS || ciphertextEnd === -1) return undefined;
  if (text[headerEnd + 1] !== '.' || text[ivEnd] !== '.') return undefined;
  const aad = text.slice(0, headerEnd);
  const headerBytes = decodeBase64Url(aad);
  const iv = decodeBase64Url(text.slice(ivStart, ivEnd));
  const ciphertext = decodeBase64Url(text.slice(ivEnd + 1, ciphertextEnd));
  const tag = decodeBase64Url(text.slice(ciphertextEnd + 1));
  const header = headerBytes && readHeader(headerBytes);
  if (header === undefined || iv === undefined || ciphertext === undefined || tag === undefined) return undefined;
  if (tag.length !== TAG_BYTES || ciphertext.length === 0 || ciphertext.length % IV_BYTES !== 0) return undefined;
  return { header, aad: Buffer.from(aad, 'latin1'), iv, ciphertext, tag };
}

/** Returns undefined for anything but the one encoding of the bytes: Node decodes almost every text. */
function decodeBase64Url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

function toLatin1({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1');
}

function find(
  keys: Pick<KeySource, 'find'>,
  kid: string,
): { readonly key: SecretKey; readonly ciphers: EnvelopeCiphers } | undefined {
  try {
    const key = keys.find(Buffer.from(kid, 'hex'));
    return key && { key, ciphers: ciphersOf(key) };
  } catch (error) {
    report('The find() method of the envelope keys', error);
    return undefined;
  }
}

function checkSize(prefixLength: number, plaintextBytes: number, maxEnvelopeBytes: number): void {
  const bytes = prefixLength + 4 + 2 * IV_CHARACTERS + Math.ceil(((sealedBytes(plaintextBytes) - TAG_BYTES) * 4) / 3);
  if (bytes <= maxEnvelopeBytes) return;
  const sizes = `A message of ${plaintextBytes} bytes makes an envelope of ${bytes} bytes`;
  const message = `${sizes}; expected at most ${maxEnvelopeBytes}: send less, or raise maxEnvelopeBytes at both ends`;
  throw new EnvelopeError('ERR_ENVELOPE_TOO_LARGE', message);
}
