/** What a request carries: a JSON value whose text has so many bytes, or so many raw bytes. */
export interface PayloadShape {
  readonly as: 'json' | 'bytes';
  readonly payloadBytes: number;
}

const ALPHABET = 'Sealwire echoes what it was sent, and nothing else. ';

export function makePayload({ as, payloadBytes }: PayloadShape): unknown {
  return as === 'json' ? jsonPayload(payloadBytes) : bytesPayload(payloadBytes);
}

/** Whether an answer says the same as the payload, in whatever form the transport brings it. */
export function isEcho(answer: unknown, payload: unknown): boolean {
  return payload instanceof Uint8Array ? isSameBytes(answer, payload) : isSameText(answer, payload);
}

/** @returns A value whose JSON text has exactly `bytes` bytes. */
function jsonPayload(bytes: number): { readonly text: string } {
  const textBytes = bytes - JSON.stringify({ text: '' }).length;
  return { text: ALPHABET.repeat(Math.ceil(textBytes / ALPHABET.length)).slice(0, textBytes) };
}

/** Of all values alike, so that a text of numbers is as long as for any other bytes. */
export function bytesPayload(bytes: number): Buffer {
  const payload = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at++) payload[at] = (at * 167) & 0xff;
  return payload;
}

function isSameText(answer: unknown, payload: unknown): boolean {
  return textOf(answer) !== undefined && textOf(answer) === textOf(payload);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string'
    ? value.text
    : undefined;
}

/** A transport of JSON brings bytes as what `Buffer.toJSON` makes of them: a program would have to turn them back. */
function isSameBytes(answer: unknown, payload: Uint8Array): boolean {
  if (answer instanceof Uint8Array) return Buffer.compare(answer, payload) === 0;
  if (typeof answer !== 'object' || answer === null || !('data' in answer) || !Array.isArray(answer.data)) return false;
  return Buffer.compare(Buffer.from(answer.data), payload) === 0;
}
