// The protected header of an envelope, docs/envelope.md §3.
import { decodeText, JsonError, parseJson } from '@sealwire/crypto/internal';
import type { JsonValue } from '@sealwire/crypto/internal';

import { EnvelopeError } from './errors.js';
import { parseJti } from './jti.js';
import type { Jti } from './jti.js';

export const MAX_HEADER_BYTES = 1024;
const MEMBERS = 8;
const KEY_ID = /^[0-9a-f]{16}$/;
const SECONDS = /^(?:0|[1-9]\d{0,15})$/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** The members of the protected header that differ between messages. */
export interface EnvelopeHeader {
  /** The service. */
  readonly aud: string;
  /** The subject of the message, such as `nats:orders.created`. */
  readonly sub: string;
  /** `<16 random bytes of the sender, base64url>.<counter>`. */
  readonly jti: string;
  /** The time of sealing, in whole seconds since 1970. */
  readonly iat: number;
}

/** A header that was read. */
export interface ReadHeader extends EnvelopeHeader {
  /** The id of the key, 16 hexadecimal digits. */
  readonly kid: string;
  readonly id: Jti;
}

/**
 * Returns the JSON text of the header, its members in a fixed order.
 *
 * @throws {EnvelopeError} `ERR_ENVELOPE_HEADER`
 */
export function writeHeader(kid: string, { aud, sub, jti, iat }: EnvelopeHeader): Buffer {
  checkText('The service', aud);
  checkText('The subject', sub);
  if (parseJti(jti) === undefined) throw badHeader('jti is not <16 bytes, base64url>.<counter>');
  if (!Number.isSafeInteger(iat) || iat < 0) throw badHeader('iat is not a number of whole seconds since 1970');
  const header = { alg: 'dir', enc: 'A128CBC-HS256', kid, typ: 'sealwire+jwe', aud, sub, iat, jti };
  const bytes = Buffer.from(JSON.stringify(header));
  if (bytes.length <= MAX_HEADER_BYTES) return bytes;
  const sizes = `${bytes.length} bytes; expected at most ${MAX_HEADER_BYTES}`;
  throw badHeader(`it takes ${sizes}. Shorten the subject or the name of the service`);
}

/** Returns undefined for anything that is not exactly the eight members, in any order. */
export function readHeader(bytes: Uint8Array): ReadHeader | undefined {
  const members = membersOf(bytes);
  if (members?.size !== MEMBERS) return undefined;
  const text = (name: string): string | undefined => {
    const value = members.get(name);
    return value?.kind === 'text' ? decodeText(value.raw) : undefined;
  };
  if (text('alg') !== 'dir' || text('enc') !== 'A128CBC-HS256' || text('typ') !== 'sealwire+jwe') return undefined;
  const [kid = '', aud = '', sub = '', jti = ''] = [text('kid'), text('aud'), text('sub'), text('jti')];
  const id = parseJti(jti);
  const iat = secondsOf(members.get('iat'));
  if (!KEY_ID.test(kid) || !isText(aud) || !isText(sub) || id === undefined || iat === undefined) return undefined;
  return { kid, aud, sub, iat, jti, id };
}

function membersOf(bytes: Uint8Array): ReadonlyMap<string, JsonValue> | undefined {
  try {
    const value = parseJson(bytes);
    return value.kind === 'object' ? value.members : undefined;
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

function secondsOf(value: JsonValue | undefined): number | undefined {
  if (value?.kind !== 'number') return undefined;
  const digits = Buffer.from(value.raw).toString('latin1');
  return SECONDS.test(digits) && Number.isSafeInteger(Number(digits)) ? Number(digits) : undefined;
}

function checkText(what: string, text: string): void {
  if (!isText(text)) throw badHeader(`${what} is empty, or not well-formed Unicode`);
}

/**
 * Returns whether a text is not empty and has no lone surrogate, which has no UTF-8: the receiver could not compare it
 * with the subject of its broker.
 */
function isText(text: string): boolean {
  return text !== '' && !LONE_SURROGATE.test(text);
}

function badHeader(reason: string): EnvelopeError {
  return new EnvelopeError('ERR_ENVELOPE_HEADER', `Invalid header of an envelope: ${reason}`);
}
