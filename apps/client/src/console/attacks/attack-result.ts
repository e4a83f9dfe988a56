import type { Ending } from './ending.js';

/** One line of a result. Every number in it was measured. */
export interface Fact {
  readonly name: string;
  readonly text: string;
  /** Sealed bytes in hex, with the ones that were changed. */
  readonly bytes?: { readonly before: string; readonly changed: string; readonly after: string };
}

export interface AttackResult {
  readonly attack: string;
  /** Whether the server ended the connection and sent nothing after the attack. */
  readonly isRefused: boolean;
  readonly facts: readonly Fact[];
}

const ENDED = { FIN: 'ended the connection', RST: 'reset the connection', none: 'left the connection open' } as const;

/** The round trip of a call on the connection before it is attacked. */
export function beforeFact(milliseconds: number): Fact {
  return { name: 'Before', text: `A genuine record was answered in ${milliseconds.toFixed(1)} ms.` };
}

/** The round trip of a call after an attack. */
export function afterwardsFact(milliseconds: number): Fact {
  const text = `A genuine record was answered in ${milliseconds.toFixed(1)} ms, on a new connection.`;
  return { name: 'Afterwards', text };
}

export function serverFact({ how, afterMs, bytes }: Ending): Fact {
  const sent = bytes === 0 ? 'no answer' : `${bytes} bytes`;
  return { name: 'Server', text: `It ${ENDED[how]} after ${afterMs.toFixed(1)} ms, and sent ${sent}.` };
}

const CONTEXT_BYTES = 5;

/** @param length - The number of bytes from `at` on that were changed. */
export function bytesFact(name: string, text: string, records: Buffer, at: number, length: number): Fact {
  const hex = (from: number, to: number): string => records.subarray(Math.max(0, from), to).toString('hex');
  const before = hex(at - CONTEXT_BYTES, at);
  const after = hex(at + length, at + length + CONTEXT_BYTES);
  return {
    name,
    text,
    bytes: { before: before === '' ? '' : `…${before}`, changed: hex(at, at + length), after: `${after}…` },
  };
}
