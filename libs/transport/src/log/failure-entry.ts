import { inspect } from 'node:util';

import type { TransportErrorCode } from '@sealwire/channel';
import { isError } from '@sealwire/channel/internal';

/** What happened: the fields of an entry are told apart by it. `docs/operations.md` explains each. */
export type FailureKind =
  | 'connected'
  | 'left'
  | 'draining'
  | 'renewal'
  | 'dial'
  | 'event-lost'
  | 'refused'
  | 'lost'
  | 'overloaded'
  | 'legacy-refused'
  | 'no-event-handler'
  | 'event-unreadable'
  | 'request-unreadable'
  | 'handler'
  | 'event-handler'
  | 'answer'
  | 'abandoned'
  | 'hook'
  | 'listener';

export interface FailureFields {
  readonly kind: FailureKind;
  readonly code?: TransportErrorCode | undefined;
  readonly address?: string | undefined;
  readonly keyId?: string | undefined;
  readonly instanceId?: string | undefined;
  readonly pattern?: string | undefined;
}

const MAX_CHARACTERS = 500;
const MAX_STACK_FRAMES = 10;
const NAME = 'SealwireFailure';

// Control characters, those that reorder or break lines, halves of a character, and what escapes are written with.
const UNPRINTABLE = /[\\\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A text that others have chosen, as a bounded part of one line: it cannot forge another. */
export function printable(text: string): string {
  const shown = text.slice(0, MAX_CHARACTERS).replaceAll(UNPRINTABLE, escape);
  return text.length > MAX_CHARACTERS ? `${shown}… (${text.length} characters)` : shown;
}

/**
 * One entry of the log (docs/adr/0012). An `Error`, as that is the only form whose fields every logger for Nest knows how
 * to keep beside the line; of the stack only what leads to the user's code is kept.
 */
export class FailureEntry extends Error {
  static {
    Object.defineProperty(this.prototype, 'name', { value: NAME }); // on the entry itself it would be one more field
  }

  /**
   * @param line - Printable.
   * @param suppressed - Entries of the kind that were held back for this one.
   */
  constructor(line: string, fields: FailureFields, suppressed: number, cause: unknown) {
    super(suppressed > 0 ? `${line}, and ${suppressed} more of the kind before` : line);
    const told = Object.entries(fields).filter(([, value]) => value !== undefined);
    Object.assign(this, Object.fromEntries(told), { suppressed });
    const frames = framesOf(cause);
    const stack = frames.length > 0 ? [this.message, ...frames].join('\n') : undefined;
    Object.defineProperty(this, 'stack', { value: stack, configurable: true, writable: true });
  }

  override toString(): string {
    return this.message;
  }

  /** For a logger that does not know errors; JSON has nothing of one by itself. */
  toJSON(): object {
    return { message: this.message, ...Object.fromEntries(Object.entries(this)), stack: this.stack };
  }

  /** For people. */
  [inspect.custom](): string {
    return this.stack ?? this.message;
  }
}

/** What stands behind the message, which may spell frames of its own: none where the message cannot be told apart. */
function framesOf(cause: unknown): readonly string[] {
  if (!isError(cause) || typeof cause.stack !== 'string') return [];
  const { stack } = cause;
  const header = headersOf(cause).find((text) => stack.startsWith(`${text}\n    at `));
  if (header === undefined) return [];
  const frames = stack
    .slice(header.length)
    .split('\n')
    .filter((line) => line.startsWith('    at '));
  return frames.slice(0, MAX_STACK_FRAMES).map(printable);
}

/** Name and message, as V8 may have put them before the frames: it does so once, and a class may set its name later. */
function headersOf(cause: Error): readonly string[] {
  try {
    return [
      Error.prototype.toString.call(cause),
      `${cause.constructor.name}: ${cause.message}`,
      `Error: ${cause.message}`,
    ];
  } catch {
    return []; // a getter of the user's class
  }
}

/** As JSON has it, where JSON does so. */
function escape(character: string): string {
  const json = JSON.stringify(character).slice(1, -1);
  if (json !== character) return json;
  return Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
