import { inspect } from 'node:util';

import type { TransportErrorCode } from '@sealwire/channel';
import { isError } from '@sealwire/channel/internal';

import { escapeOf } from '../escape.js';

/** The kind of an entry. `docs/operations.md` explains each. */
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
  | 'forbidden'
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
  readonly label?: string | undefined;
  readonly instanceId?: string | undefined;
  readonly pattern?: string | undefined;
}

const MAX_CHARACTERS = 500;
const MAX_STACK_FRAMES = 10;
const NAME = 'SealwireFailure';

// Control characters, characters that reorder or break lines, lone surrogates, and the backslash of escapes.
const UNPRINTABLE = /[\\\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Escapes and truncates an untrusted text so that it cannot forge a log line. */
export function printable(text: string): string {
  const shown = text.slice(0, MAX_CHARACTERS).replaceAll(UNPRINTABLE, escapeOf);
  return text.length > MAX_CHARACTERS ? `${shown}… (${text.length} characters)` : shown;
}

/**
 * One entry of the log (docs/adr/0012). It is an `Error` because every logger for Nest keeps the fields of an `Error` next
 * to the line. Its stack has only the first frames of the cause.
 */
export class FailureEntry extends Error {
  static {
    Object.defineProperty(this.prototype, 'name', { value: NAME }); // on the entry itself it would be an extra field
  }

  /**
   * @param line - Printable.
   * @param suppressed - The number of entries of the kind that were dropped before this one.
   */
  constructor(line: string, fields: FailureFields, suppressed: number, cause: unknown) {
    super(suppressed > 0 ? `${line} (and ${suppressed} more of this kind before it)` : line);
    const given = Object.entries(fields).filter(([, value]) => value !== undefined);
    Object.assign(this, Object.fromEntries(given), { suppressed });
    const frames = framesOf(cause);
    const stack = frames.length > 0 ? [this.message, ...frames].join('\n') : undefined;
    Object.defineProperty(this, 'stack', { value: stack, configurable: true, writable: true });
  }

  override toString(): string {
    return this.message;
  }

  /** Returns the entry for loggers that write JSON, which would otherwise omit the message and the stack. */
  toJSON(): object {
    return { message: this.message, ...Object.fromEntries(Object.entries(this)), stack: this.stack };
  }

  /** Returns the form for people. */
  [inspect.custom](): string {
    return this.stack ?? this.message;
  }
}

/** Returns the frames after the message. The message may contain fake frames: if its end is not found, no frame is kept. */
function framesOf(cause: unknown): readonly string[] {
  try {
    if (!isError(cause) || typeof cause.stack !== 'string') return [];
    const { stack } = cause;
    const header = headersOf(cause).find((text) => stack.startsWith(`${text}\n    at `));
    if (header === undefined) return [];
    const frames = stack
      .slice(header.length)
      .split('\n')
      .filter((line) => line.startsWith('    at '));
    return frames.slice(0, MAX_STACK_FRAMES).map(printable);
  } catch {
    return []; // a getter of the user's class
  }
}

/** Returns the possible headers of a stack. V8 writes the header in the constructor; a class may set its name later. */
function headersOf(cause: Error): readonly string[] {
  return [
    Error.prototype.toString.call(cause),
    `${cause.constructor.name}: ${cause.message}`,
    `Error: ${cause.message}`,
  ];
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
