import { isUtf8 } from 'node:buffer';
import { mutate } from '../mutate.js';
import type { Random } from '../../support/random.js';

const KEYS = ['a', 'text', '__proto__', 'constructor', 'prototype', '\\u005f_proto__', 'polluted', '', '0'] as const;
const TEXTS = ['""', '"Hello"', String.raw`"\u0000"`, String.raw`"\ud800"`, '"größe"', '"__proto__"'] as const;
const NUMBERS = ['0', '-0', '1e999', '9007199254740993', '-1.5e-7', '1E400'] as const;

/** JSON in UTF-8 as somebody writes it who wants to break a reader; sometimes none at all. */
export function anyJson(random: Random): Buffer {
  if (random.oneIn(64)) return random.bytes(random.below(40));
  if (random.oneIn(500)) return Buffer.from(nested(random));
  const text = Buffer.from(value(random, 4));
  return random.oneIn(4) ? mutate(text, random) : text;
}

function value(random: Random, depth: number): string {
  switch (random.below(depth > 0 ? 7 : 4)) {
    case 0:
      return random.pick(TEXTS);
    case 1:
      return random.pick(NUMBERS);
    case 2:
      return random.pick(['true', 'false', 'null']);
    case 3:
      return `"${'x'.repeat(random.below(40))}"`;
    case 4:
      return `[${list(random, () => value(random, depth - 1))}]`;
    default:
      return `{${list(random, () => `"${random.pick(KEYS)}":${value(random, depth - 1)}`)}}`;
  }
}

function list(random: Random, next: () => string): string {
  return Array.from({ length: random.below(4) }, next).join(random.oneIn(64) ? ', ' : ',');
}

function nested(random: Random): string {
  const depth = random.below(20_000);
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"constructor":', '}'],
  ] as const);
  return open.repeat(depth) + '1' + close.repeat(depth - (random.oneIn(4) ? 1 : 0));
}

/** A reviver goes down by recursion. */
const MAX_JUDGED_BYTES = 5000;

/** Whether a reader should take it: well-formed JSON without a key that changes a prototype. Undefined if unknown. */
export function judgeJson(input: Buffer): boolean | undefined {
  if (input.length > MAX_JUDGED_BYTES) return undefined;
  if (!isUtf8(input)) return false;
  const text = input.toString();
  let isPoisoned = false;
  let members = -1; // the reviver is called for the value as a whole, too
  try {
    JSON.parse(text, function (this: unknown, key, child: unknown) {
      const isPrototype = key === 'constructor' && typeof child === 'object' && child !== null && 'prototype' in child;
      if (key === '__proto__' || isPrototype) isPoisoned = true;
      if (!Array.isArray(this)) members += 1;
      return child;
    });
  } catch {
    return false;
  }
  if (isPoisoned) return false;
  return members === countMembers(text) ? true : undefined; // a reviver sees the last of equal keys only
}

function countMembers(json: string): number {
  return json.replaceAll(/"(?:[^"\\]|\\.)*"/gu, '').split(':').length - 1;
}
