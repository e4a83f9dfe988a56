/** One line of a result. Every number in it was measured. */
export interface Fact {
  readonly name: string;
  readonly text: string;
  /** Sealed bytes in hex, with the ones that were changed. */
  readonly bytes?: { readonly before: string; readonly changed: string; readonly after: string };
}

export interface AttackResult {
  readonly attack: string;
  /** Whether nothing that was changed has had an effect. */
  readonly isRefused: boolean;
  readonly facts: readonly Fact[];
}

/** Describes the round trip of a call before the attack. */
export function beforeFact(milliseconds: number): Fact {
  return { name: 'Before', text: `A genuine message was answered in ${milliseconds.toFixed(1)} ms.` };
}

/** Describes the round trip of a call after the attack. */
export function afterwardsFact(milliseconds: number): Fact {
  return { name: 'Afterwards', text: `A genuine message was answered in ${milliseconds.toFixed(1)} ms.` };
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

/** Inverts one bit in the middle of `sealed`. */
export function changedByte(sealed: Buffer, noun: string): Fact {
  const at = sealed.length >> 1;
  const original = sealed.readUInt8(at);
  sealed.writeUInt8(original ^ 1, at);
  const text = `One bit of byte ${at} of ${sealed.length} ${noun}: ${hexByte(original)} became ${hexByte(original ^ 1)}.`;
  return bytesFact('Attack', text, sealed, at, 1);
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
