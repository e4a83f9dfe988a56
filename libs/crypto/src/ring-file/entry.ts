// One key of a keyring file: the members of a JSON Web Key (RFC 7517, RFC 7518 §6.4) and those of Sealwire.
import { wipe } from '../cipher/secret-bytes.js';
import { CryptoError } from '../errors.js';
import { isKeyText } from '../key-file/path.js';
import { parseTimestamp } from '../keys/timestamp.js';
import { KEY_STATES } from '../keys/ring-key.js';
import type { KeyState, RingKey } from '../keys/ring-key.js';
import { keyId } from '../keys/schedule.js';
import { SecretKey } from '../keys/secret-key.js';
import { decodeText } from './json.js';
import type { JsonValue } from './json.js';
import { decodeKeyText } from './key-text.js';

/** A key of a keyring file, with its bytes. */
export interface KeyringFileEntry extends RingKey {
  /** 32 secret bytes in memory of their own, for the owner of the entry to overwrite. */
  readonly bytes: Uint8Array;
}

const KEY_TYPE = 'oct';
export const ALGORITHM = 'A128CBC-HS256';
const REQUIRED = ['kty', 'kid', 'alg', 'label', 'state', 'k'];
const OPTIONAL = ['notBefore', 'notAfter', 'patterns'];

const KEY_ID = /^[0-9a-f]{16}$/;
/** No control, format or unassigned characters, no lone surrogates, and no white space but the space. */
const LABEL = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,64}$/u;
const PATTERN = /^[^\p{Cc}\p{Cs}*]{0,255}\*?$/u;
const MAX_PATTERNS = 64;
/** A value of this form is too short for a key, and may be shown. */
const SHOWN = /^[\w:.+-]{1,20}$/;

/**
 * @param known - Keys whose strength was checked before, by id.
 * @throws {CryptoError} `ERR_KEYRING_FORMAT`, `ERR_KEYRING_ID`, or the `ERR_KEY_…` of a weak key. `origin` begins its message.
 */
export function parseEntry(
  value: JsonValue,
  origin: string,
  index: number,
  known: ReadonlyMap<string, SecretKey>,
): KeyringFileEntry {
  if (value.kind !== 'object')
    throw new CryptoError('ERR_KEYRING_FORMAT', `${origin}: keys[${index}] is ${show(value)}; it must be an object`);
  return new EntryReader(value.members, origin, index).read(known);
}

class EntryReader {
  readonly #members: ReadonlyMap<string, JsonValue>;
  readonly #name: string;

  constructor(members: ReadonlyMap<string, JsonValue>, origin: string, index: number) {
    this.#members = members;
    const kid = this.#textOf('kid', isKeyId);
    const label = this.#textOf('label', isLabel);
    const names = [...(kid === undefined ? [] : [`kid ${kid}`]), ...(label === undefined ? [] : [`label "${label}"`])];
    this.#name = `${origin}: keys[${index}]${names.length === 0 ? '' : ` (${names.join(', ')})`}`;
  }

  read(known: ReadonlyMap<string, SecretKey>): KeyringFileEntry {
    this.#checkNames();
    this.#text('kty', `"${KEY_TYPE}"`, (text) => text === KEY_TYPE);
    this.#text('alg', `"${ALGORITHM}"`, (text) => text === ALGORITHM);
    const kid = this.#text('kid', 'the key id, 16 lower-case hexadecimal digits', isKeyId);
    const label = this.#text(
      'label',
      '1 to 64 printable characters with no space at either end, and must not look like a key or a key id (16 hexadecimal digits)',
      isLabel,
    );
    const window = { notBefore: this.#timestamp('notBefore'), notAfter: this.#timestamp('notAfter') };
    const { notBefore = -Infinity, notAfter = Infinity } = window;
    if (notBefore >= notAfter)
      throw this.#error('has a notAfter that is not later than its notBefore: correct one of the two');
    const rest = { state: this.#state(), ...window };
    const description = { label, patterns: this.#patterns() };
    const bytes = this.#key();
    try {
      return { bytes, key: this.#secretKey(bytes, kid, known).describedAs(description), ...rest };
    } catch (error) {
      wipe(bytes); // also a weak key: it may be in use elsewhere
      throw error;
    }
  }

  #checkNames(): void {
    const missing = REQUIRED.find((name) => !this.#members.has(name));
    if (missing !== undefined) throw this.#error(`has no member ${missing}`);
    const names = [...REQUIRED, ...OPTIONAL];
    const unknown = [...this.#members.keys()].find((name) => !names.includes(name));
    if (unknown === undefined) return;
    const shown = SHOWN.test(unknown) ? `the unknown member ${unknown}` : 'an unknown member';
    throw this.#error(`has ${shown}; expected only ${names.join(', ')}`);
  }

  #secretKey(bytes: Uint8Array, kid: string, known: ReadonlyMap<string, SecretKey>): SecretKey {
    const id = keyId(bytes);
    if (id !== kid)
      throw this.#error(`has a kid that does not match its key, whose id is ${id}: correct kid or k`, 'ERR_KEYRING_ID');
    return known.get(id) ?? SecretKey.fromBytes(bytes, this.#name);
  }

  #key(): Uint8Array {
    const value = this.#members.get('k');
    const key = value?.kind === 'text' ? decodeKeyText(value.raw) : undefined;
    if (key !== undefined) return key;
    throw this.#error(
      'has a wrong k, which is not shown; it must be 32 bytes in base64url, 43 characters without padding',
    );
  }

  #state(): KeyState {
    const state = this.#text('state', `one of ${KEY_STATES.join(', ')}`, (text) =>
      KEY_STATES.some((one) => one === text),
    );
    return KEY_STATES.find((one) => one === state) ?? 'retired';
  }

  #timestamp(name: 'notBefore' | 'notAfter'): number | undefined {
    if (!this.#members.has(name)) return undefined;
    const mustBe = 'an RFC 3339 timestamp, such as 2027-01-31T12:00:00Z';
    return parseTimestamp(this.#text(name, mustBe, (text) => parseTimestamp(text) !== undefined));
  }

  #patterns(): readonly string[] | undefined {
    const value = this.#members.get('patterns');
    if (value === undefined) return undefined;
    const mustBe = `1 to ${MAX_PATTERNS} different strings of 1 to 256 characters, with * only at the end`;
    const items = value.kind === 'array' ? value.items : [];
    const patterns = items.flatMap((item) => (item.kind === 'text' ? [decodeText(item.raw) ?? ''] : ['']));
    const isRight = patterns.every((text) => text !== '' && PATTERN.test(text) && !isKeyText(text));
    if (isRight && patterns.length > 0 && patterns.length <= MAX_PATTERNS && new Set(patterns).size === patterns.length)
      return patterns;
    throw this.#error(
      `has wrong patterns; they must be an array of ${mustBe}. If the member is missing, the key may call every pattern`,
    );
  }

  #text(name: string, mustBe: string, accepts: (text: string) => boolean): string {
    const text = this.#textOf(name, accepts);
    if (text !== undefined) return text;
    throw this.#error(`has ${show(this.#members.get(name))} as ${name}; it must be ${mustBe}`);
  }

  /** Returns a member that is a text and accepted. */
  #textOf(name: string, accepts: (text: string) => boolean): string | undefined {
    const value = this.#members.get(name);
    const text = value?.kind === 'text' ? decodeText(value.raw) : undefined;
    return text !== undefined && accepts(text) ? text : undefined;
  }

  #error(reason: string, code: 'ERR_KEYRING_FORMAT' | 'ERR_KEYRING_ID' = 'ERR_KEYRING_FORMAT'): CryptoError {
    return new CryptoError(code, `${this.#name} ${reason}`);
  }
}

export function isKeyId(text: string): boolean {
  return KEY_ID.test(text);
}

/**
 * Returns whether a text may be a label. A label is logged, so it must not be a key that was meant for `k`. A text like
 * a key id would name two keys, and so would one that differs only by a space at its end.
 */
function isLabel(text: string): boolean {
  return LABEL.test(text) && !isKeyText(text) && !isKeyId(text.toLowerCase()) && text === text.trim();
}

/** Describes a wrong value, without quoting what may be a key. */
export function show(value: JsonValue | undefined): string {
  switch (value?.kind) {
    case undefined:
      return 'nothing';
    case 'array':
    case 'object':
      return `an ${value.kind}`;
    case 'number':
    case 'boolean':
      return `a ${value.kind}`;
    case 'null':
      return 'null';
    case 'text': {
      const text = decodeText(value.raw);
      if (text === undefined) return 'a string that is not valid';
      return SHOWN.test(text) ? `"${text}"` : `a string of ${text.length} characters`;
    }
  }
}
