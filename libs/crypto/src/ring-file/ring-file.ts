// The keyring file: a JWK Set (RFC 7517 §5) with at most 256 keys. The whole file is refused if one of its keys is wrong.
import { wipe } from '../cipher/secret-bytes.js';
import { CryptoError } from '../errors.js';
import { Keyring } from '../keys/keyring.js';
import { formatTimestamp } from '../keys/timestamp.js';
import type { SecretKey } from '../keys/secret-key.js';
import { ALGORITHM, parseEntry, show } from './entry.js';
import type { KeyringFileEntry } from './entry.js';
import { JsonError, parseJson, skipWhiteSpace } from './json.js';
import type { JsonValue } from './json.js';
import { formatJwkSet } from './jwk-set.js';

export const MAX_KEYRING_BYTES = 65_536;
const MAX_KEYS = 256;
const OPENING_BRACE = 0x7b;

/** Returns whether the content of a key file is meant to be a keyring. 32 raw bytes may begin like one. */
export function isKeyringFile(bytes: Uint8Array): boolean {
  return bytes[skipWhiteSpace(bytes)] === OPENING_BRACE;
}

/** How a brace begins a text in the encodings that some editors and shells write. */
const OTHER_ENCODINGS = [
  ['UTF-8 with a byte order mark', [0xef, 0xbb, 0xbf, 0x7b]],
  ['UTF-16', [0xff, 0xfe, 0x7b, 0x00]],
  ['UTF-16', [0xfe, 0xff, 0x00, 0x7b]],
  ['UTF-16', [0x7b, 0x00]],
  ['UTF-16', [0x00, 0x7b]],
] as const;

/** Returns the encoding of a content that is meant to be a keyring, but is not in plain UTF-8; undefined otherwise. */
export function otherEncodingOf(bytes: Uint8Array): string | undefined {
  return OTHER_ENCODINGS.find(([, start]) => start.every((byte, at) => bytes[at] === byte))?.[0];
}

/**
 * Parses the content of a keyring file. It is not changed: the caller overwrites it.
 *
 * @param origin - The name of the file in errors, such as `Key file /etc/sealwire/ring.json`.
 * @param known - Keys whose strength was checked before, by id: that check takes some milliseconds for each key.
 * @returns At least one entry. The caller overwrites the bytes of each.
 * @throws {CryptoError} `ERR_KEYRING_…`, or the `ERR_KEY_…` of a weak key. The message names the entry and the remedy, and
 *   contains no key material.
 */
export function parseKeyringFile(
  bytes: Uint8Array,
  origin: string,
  known: ReadonlyMap<string, SecretKey> = new Map(),
): readonly KeyringFileEntry[] {
  if (bytes.length > MAX_KEYRING_BYTES) throw tooLarge(`${origin} has ${bytes.length} bytes`);
  const values = keysOf(parse(bytes, origin), origin);
  if (values.length > MAX_KEYS) throw tooLarge(`${origin} has ${values.length} keys`);
  const entries: KeyringFileEntry[] = [];
  try {
    for (const [index, value] of values.entries()) entries.push(parseEntry(value, origin, index, known));
    checkSet(entries, origin);
    return entries;
  } catch (error) {
    for (const entry of entries) wipe(entry.bytes);
    throw error;
  }
}

/**
 * Returns the content of a keyring file, one key on each line. The caller overwrites it.
 *
 * @throws {CryptoError} As {@link parseKeyringFile}: every content that it returns can be parsed.
 */
export function formatKeyringFile(entries: readonly KeyringFileEntry[]): Uint8Array {
  const content = formatJwkSet(entries.map((entry) => ({ members: membersOf(entry), secret: entry.bytes })));
  try {
    const known = new Map(entries.map(({ key }) => [key.id, key]));
    for (const { bytes } of parseKeyringFile(content, 'The new keyring', known)) wipe(bytes);
    return content;
  } catch (error) {
    wipe(content);
    throw error;
  }
}

function membersOf({ key, state, notBefore, notAfter }: KeyringFileEntry): object {
  return {
    kty: 'oct',
    kid: key.id,
    alg: ALGORITHM,
    label: key.label,
    state,
    notBefore: notBefore === undefined ? undefined : formatTimestamp(notBefore),
    notAfter: notAfter === undefined ? undefined : formatTimestamp(notAfter),
    patterns: key.patterns,
  };
}

function parse(bytes: Uint8Array, origin: string): JsonValue {
  try {
    return parseJson(bytes);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    // Without its cause: the message says the same.
    throw new CryptoError('ERR_KEYRING_JSON', `${origin} is not valid JSON at ${error.message}`);
  }
}

function keysOf(set: JsonValue, origin: string): readonly JsonValue[] {
  const members = set.kind === 'object' ? set.members : new Map<string, JsonValue>();
  const keys = members.get('keys');
  if (keys?.kind !== 'array')
    throw format(
      `${origin} has ${keys === undefined ? 'no member "keys"' : `${show(keys)} as "keys"`}; expected an object with an array of keys in "keys"`,
    );
  if (members.size > 1) throw format(`${origin} has members other than "keys": remove them`);
  if (keys.items.length === 0) throw format(`${origin} has no keys: a keyring must have at least one`);
  return keys.items;
}

function checkSet(entries: readonly KeyringFileEntry[], origin: string): void {
  try {
    Keyring.ofRing(entries);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    throw new CryptoError(error.code, `${origin}: ${error.message}`);
  }
}

function format(message: string): CryptoError {
  return new CryptoError('ERR_KEYRING_FORMAT', message);
}

function tooLarge(message: string): CryptoError {
  const most = `at most ${MAX_KEYS} keys in ${MAX_KEYRING_BYTES} bytes`;
  return new CryptoError('ERR_KEYRING_SIZE', `${message}; expected ${most}: remove keys that are no longer used`);
}
