/** Returns a value of a message as JSON for `--json`. Bytes are an object with their base64. */
export function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') };
  return value ?? null;
}

/** Returns a value of a message for people. Control characters in texts stay escaped, as JSON writes them. */
export function formatValue(value: unknown): string {
  return JSON.stringify(toJson(value), null, 2).replaceAll(/[\u007F-\u009F\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const units = character.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
    return units.join('');
  });
}
