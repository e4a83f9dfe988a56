import { printable } from '../terminal.js';

/** Returns a value of a message as JSON for `--json`. Bytes are an object with their base64. */
export function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') };
  return value ?? null;
}

/** Returns a value of a message for people. Control characters in texts are escaped, as JSON writes them. */
export function formatValue(value: unknown): string {
  return JSON.stringify(toJson(value), null, 2).split('\n').map(printable).join('\n');
}
