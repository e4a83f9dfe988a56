const MAX_CHARACTERS = 1_000;

// Control characters, characters that reorder or break lines, and lone surrogates.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Escapes and truncates an untrusted text so that it cannot forge a log entry. The escapes are those of JSON, so that JSON
 * stays JSON.
 */
export function printable(text: string): string {
  const shown = text.slice(0, MAX_CHARACTERS).replaceAll(UNPRINTABLE, escape);
  return text.length > MAX_CHARACTERS ? `${shown}… (${text.length} characters)` : shown;
}

function escape(character: string): string {
  return Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');
}
