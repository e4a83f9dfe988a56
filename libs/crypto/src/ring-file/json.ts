// Reads JSON from bytes. Texts stay views of these bytes until they are asked for, so that no string ever contains a key.
// Stricter than JSON.parse: a member that occurs twice is an error, and nesting is bounded.

export type JsonValue =
  /** `raw` is the view between the quotes, with its escapes. */
  | { readonly kind: 'text'; readonly raw: Uint8Array }
  | { readonly kind: 'object'; readonly members: ReadonlyMap<string, JsonValue> }
  | { readonly kind: 'array'; readonly items: readonly JsonValue[] }
  /** `raw` is a view of its characters, which may be more than JSON allows. */
  | { readonly kind: 'number'; readonly raw: Uint8Array }
  | { readonly kind: 'boolean' | 'null' };

/** A position and a reason, never a part of the text. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

const MAX_DEPTH = 8;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LINE_FEED = 0x0a;
const SPACE = 0x20;
const WHITE_SPACE: ReadonlySet<number | undefined> = new Set([SPACE, 0x09, LINE_FEED, 0x0d]);
const LITERALS = [
  [bytesOf('true'), 'boolean'],
  [bytesOf('false'), 'boolean'],
  [bytesOf('null'), 'null'],
] as const;
const NUMBER_START = new Set(bytesOf('-0123456789'));
const NUMBER_BYTES = new Set(bytesOf('-+.eE0123456789'));
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws {JsonError} */
export function parseJson(bytes: Uint8Array): JsonValue {
  return new JsonReader(bytes).readAll();
}

/** Returns the text of a value as a string; undefined if its escapes or its UTF-8 are wrong. */
export function decodeText(raw: Uint8Array): string | undefined {
  try {
    const text: unknown = JSON.parse(`"${utf8.decode(raw)}"`);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the index of the first byte that is not white space. */
export function skipWhiteSpace(bytes: Uint8Array, from = 0): number {
  let at = from;
  while (WHITE_SPACE.has(bytes[at])) at += 1;
  return at;
}

class JsonReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  readAll(): JsonValue {
    const value = this.#value(MAX_DEPTH);
    if (this.#peek() !== '') throw this.#error('unexpected characters after the end of the JSON value');
    return value;
  }

  #value(depth: number): JsonValue {
    if (depth === 0) throw this.#error(`it is nested more than ${MAX_DEPTH} levels deep`);
    switch (this.#peek()) {
      case '{':
        return { kind: 'object', members: this.#members(depth) };
      case '[':
        return { kind: 'array', items: this.#items(depth) };
      case '"':
        return { kind: 'text', raw: this.#text() };
      default:
        return this.#scalar();
    }
  }

  #members(depth: number): ReadonlyMap<string, JsonValue> {
    const members = new Map<string, JsonValue>();
    this.#list('}', () => {
      if (this.#peek() !== '"') throw this.#error('expected a member name in quotes');
      const name = decodeText(this.#text());
      if (name === undefined) throw this.#error('a member name is not a valid string');
      if (members.has(name)) throw this.#error('a member occurs twice in one object');
      if (this.#peek() !== ':') throw this.#error('expected a colon');
      this.#at += 1;
      members.set(name, this.#value(depth - 1));
    });
    return members;
  }

  #items(depth: number): readonly JsonValue[] {
    const items: JsonValue[] = [];
    this.#list(']', () => items.push(this.#value(depth - 1)));
    return items;
  }

  /** Reads an opening bracket, what is between the commas, and the closing bracket. */
  #list(end: '}' | ']', readOne: () => void): void {
    this.#at += 1;
    if (this.#peek() !== end) {
      readOne();
      while (this.#peek() === ',') {
        this.#at += 1;
        readOne();
      }
    }
    if (this.#peek() !== end) throw this.#error(`expected a comma or ${end}`);
    this.#at += 1;
  }

  #text(): Uint8Array {
    const from = this.#at + 1;
    let at = from;
    for (let byte = this.#bytes[at]; byte !== QUOTE; byte = this.#bytes[at]) {
      if (byte === undefined) throw this.#error('a string is not terminated');
      if (byte < SPACE) throw this.#error('a string contains a control character');
      at += byte === BACKSLASH ? 2 : 1;
    }
    this.#at = at + 1;
    return this.#bytes.subarray(from, at);
  }

  /** Accepts more numbers than JSON does: the reader of a format checks those that it allows. */
  #scalar(): JsonValue {
    const literal = LITERALS.find(([text]) => text.every((byte, at) => this.#bytes[this.#at + at] === byte));
    if (literal !== undefined) {
      this.#at += literal[0].length;
      return { kind: literal[1] };
    }
    if (!NUMBER_START.has(this.#bytes[this.#at] ?? 0)) throw this.#error('expected a value');
    const from = this.#at;
    while (NUMBER_BYTES.has(this.#bytes[this.#at] ?? 0)) this.#at += 1;
    return { kind: 'number', raw: this.#bytes.subarray(from, this.#at) };
  }

  /** Skips white space, and returns the next character; empty at the end. */
  #peek(): string {
    this.#at = skipWhiteSpace(this.#bytes, this.#at);
    const byte = this.#bytes[this.#at];
    return byte === undefined ? '' : String.fromCharCode(byte);
  }

  #error(reason: string): JsonError {
    const before = this.#bytes.subarray(0, this.#at);
    const line = 1 + before.filter((byte) => byte === LINE_FEED).length;
    return new JsonError(`line ${line}, byte ${this.#at} of the file: ${reason}`);
  }
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
