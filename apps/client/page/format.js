export const MAX_SHOWN_CHARACTERS = 400;

/** `09:30:00.123`, by the clock of this machine. */
export function timeOf(unixMs) {
  const date = new Date(unixMs);
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) =>
    padded(part, 2),
  );
  return `${hours}:${minutes}:${seconds}.${padded(date.getMilliseconds(), 3)}`;
}

export function milliseconds(value) {
  if (value === undefined || Number.isNaN(value)) return '–';
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function byteCount(bytes) {
  return bytes < 10_000 ? `${bytes} B` : `${Math.round(bytes / 1024)} KiB`;
}

export function shortened(text) {
  return text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)} …` : text;
}

export function hexOf(bytes) {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Returns the bytes of a hexadecimal text; undefined if it is not one. */
export function bytesOfHex(text) {
  const digits = text.replaceAll(/\s/g, '');
  if (digits.length % 2 !== 0 || !/^[\da-f]*$/i.test(digits)) return undefined;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Creates an element. Texts are set as texts, so that no message can become markup. */
export function element(name, { className = '', text = '', ...attributes } = {}, ...children) {
  const created = document.createElement(name);
  if (className !== '') created.className = className;
  if (text !== '') created.textContent = text;
  for (const [attribute, value] of Object.entries(attributes)) created.setAttribute(attribute, value);
  created.append(...children);
  return created;
}

function padded(number, digits) {
  return String(number).padStart(digits, '0');
}
