// The check of JSON before it is parsed: one pass over its bytes, without recursion because the peer chooses the depth.
// Invalid JSON passes, because the parser refuses it.
import { TransportError } from '@sealwire/channel';

/** The nodes of JSON up to this size are not counted, because parsing it is cheap. */
export const UNCOUNTED_JSON_BYTES = 65_536;

export const DEFAULT_MAX_JSON_NODES = 1_000_000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACE = 0x20;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const LETTER_A = 0x61;
const LETTER_U = 0x75;
const ESCAPE_BYTES = 6;

const PROTO = Buffer.from('__proto__');
const CONSTRUCTOR = Buffer.from('constructor');
const PROTOTYPE = Buffer.from('prototype');

/**
 * Counts the nodes of `json`: its values, including those inside arrays and objects.
 *
 * @param json - The bytes from `start` to `end` are UTF-8.
 * @throws {TransportError} `ERR_MESSAGE_TOO_COMPLEX` - more than `maxNodes`. `ERR_MESSAGE_MALFORMED` - a key `__proto__`, or
 *   `prototype` inside `constructor`: merged into another object, the value would change a prototype.
 */
export function checkJson(
  json: Uint8Array,
  maxNodes = DEFAULT_MAX_JSON_NODES,
  start = 0,
  end = json.byteLength,
): number {
  return new JsonCheck(Buffer.from(json.buffer, json.byteOffset + start, end - start), maxNodes).run();
}

class JsonCheck {
  readonly #json: Buffer;
  readonly #maxNodes: number;
  #nodes = 1;
  #depth = 0;
  /** The depths of the open objects that are the value of a key `constructor`. */
  readonly #constructorDepths: number[] = [];
  #isConstructorNext = false;

  constructor(json: Buffer, maxNodes: number) {
    this.#json = json;
    this.#maxNodes = maxNodes;
  }

  run(): number {
    const json = this.#json;
    for (let at = 0; at < json.length; at++) {
      const byte: number = json[at] ?? SPACE;
      switch (byte) {
        case QUOTE:
          at = this.#string(at);
          break;
        case COMMA:
          this.#node();
          break;
        case OPEN_ARRAY:
        case OPEN_OBJECT:
          this.#open(at);
          break;
        case CLOSE_ARRAY:
        case CLOSE_OBJECT:
          if (this.#constructorDepths.at(-1) === this.#depth) this.#constructorDepths.pop();
          this.#depth -= 1;
          break;
      }
    }
    return this.#nodes;
  }

  #node(): void {
    this.#isConstructorNext = false;
    this.#nodes += 1;
    if (this.#nodes <= this.#maxNodes) return;
    throw new TransportError('ERR_MESSAGE_TOO_COMPLEX', `The JSON has more than ${this.#maxNodes} values`);
  }

  #open(at: number): void {
    this.#depth += 1;
    if (this.#isConstructorNext && this.#json[at] === OPEN_OBJECT) this.#constructorDepths.push(this.#depth);
    this.#isConstructorNext = false;
    const first = this.#json[skipSpace(this.#json, at + 1)];
    if (first !== CLOSE_ARRAY && first !== CLOSE_OBJECT) this.#node(); // commas count the others
  }

  /** Checks the string that begins at `start`. @returns The position of its closing quote. */
  #string(start: number): number {
    const end = endOfString(this.#json, start);
    const isInConstructor = this.#constructorDepths.at(-1) === this.#depth;
    if (this.#isKey(start, end, PROTO) || (isInConstructor && this.#isKey(start, end, PROTOTYPE))) {
      throw new TransportError('ERR_MESSAGE_MALFORMED', 'The JSON has the key __proto__ or constructor.prototype');
    }
    this.#isConstructorNext = this.#isKey(start, end, CONSTRUCTOR);
    return end;
  }

  #isKey(start: number, end: number, name: Buffer): boolean {
    return spells(this.#json, start + 1, end, name) && this.#json[skipSpace(this.#json, end + 1)] === COLON;
  }
}

/** Compares a string with a name, without a copy, because most strings differ in the first byte. */
function spells(json: Buffer, start: number, end: number, name: Buffer): boolean {
  let at = start;
  for (let index = 0; index < name.length; index++) {
    const isEscape = json[at] === BACKSLASH;
    if ((isEscape ? escapedCode(json, at) : json[at]) !== name[index]) return false;
    at += isEscape ? ESCAPE_BYTES : 1;
  }
  return at === end;
}

/** Returns the code of a `\u` escape; undefined for shorter escapes, of which none is a letter. */
function escapedCode(json: Buffer, at: number): number | undefined {
  if (json[at + 1] !== LETTER_U) return undefined;
  let code = 0;
  for (let digit = at + 2; digit < at + ESCAPE_BYTES; digit++) code = code * 16 + hexValue(json[digit] ?? 0);
  return code;
}

function hexValue(digit: number): number {
  return digit <= DIGIT_9 ? digit - DIGIT_0 : (digit | SPACE) - LETTER_A + 10; // | makes it lower case
}

function endOfString(json: Buffer, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}

function skipSpace(json: Buffer, start: number): number {
  let at = start;
  while ((json[at] ?? COLON) <= SPACE) at += 1;
  return at;
}
