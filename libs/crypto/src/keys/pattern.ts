// Keys that a loop or a person makes (docs/protocol.md §2.2). What most of them have in common: few different values,
// either of their bytes or of the steps from byte to byte. Steps are differences modulo 256, taken up to three times
// (arithmetic sequences, squares, cubes), and XOR (counters under a mask, Gray code), from each byte to the one that is
// `lag` places behind it (sequences that take turns). What multiplies, adds up or shifts is found by its rule, and text of
// two or four bytes a character by a column of few values.
//
// The limits are set so that all of these checks together refuse fewer than one random key in 10^11.

const MAX_LAG = 16;
const MAX_ORDER = 3;
const MIN_STEPS = 12;
/** A rule that foretells as many bytes is no accident. By chance it foretells one byte in 256. */
const MIN_FORETOLD = 12;
/** Bytes wrap at 256; the others are the primes and the mask that loops take the remainder of. */
const MODULI = [256, 257, 255, 251];
const MAX_COEFFICIENT = 3;
const REGISTER_BYTES = 8;
/** Random bytes spread over nearly all of 0 to 255. */
const MIN_SPREAD = 64;
/** Every so many bytes a column, and the greatest number of different values that gives it away. */
const COLUMNS = [
  [1, 16],
  [2, 6],
  [4, 2],
] as const;

/** Whether 32 bytes follow a pattern that somebody could guess. */
export function followsPattern(key: Uint8Array): boolean {
  const bytes = [...key];
  return [hasFewSteps, hasFewInColumn, isNarrow, isDecimal, multiplies, addsUp, shifts].some((is) => is(bytes));
}

type Bytes = readonly number[];
type Step = (from: number, to: number) => number;

function hasFewSteps(bytes: Bytes): boolean {
  const steps: readonly Step[] = [(from, to) => (to - from) & 0xff, (from, to) => to ^ from];
  return steps.some((step) => {
    for (let lag = 1; lag <= MAX_LAG; lag++) if (hasFewStepsOf(bytes, step, lag)) return true;
    return false;
  });
}

function hasFewStepsOf(bytes: Bytes, step: Step, lag: number): boolean {
  let steps = bytes;
  for (let order = 1; order <= MAX_ORDER; order++) {
    steps = stepsOf(steps, step, lag);
    if (steps.length < MIN_STEPS) return false;
    if (new Set(steps).size <= fewOf(steps.length)) return true;
  }
  return false;
}

function stepsOf(bytes: Bytes, step: Step, lag: number): Bytes {
  return bytes.slice(lag).map((to, at) => step(bytes[at] ?? 0, to));
}

/** Random bytes have so few different values with a chance of 10^-13 at most, from 12 of them to 32. */
function fewOf(count: number): number {
  return Math.floor(0.6 * count - 3);
}

function hasFewInColumn(bytes: Bytes): boolean {
  return COLUMNS.some(([width, few]) => {
    const columns = Array.from({ length: width }, (_, column) => bytes.filter((_byte, at) => at % width === column));
    return columns.some((column) => new Set(column).size <= few);
  });
}

function isNarrow(bytes: Bytes): boolean {
  return Math.max(...bytes) - Math.min(...bytes) < MIN_SPREAD;
}

/** Digits of π, of a date or of a telephone number, two a byte. */
function isDecimal(bytes: Bytes): boolean {
  return bytes.every((byte) => byte >> 4 <= 9 && (byte & 0x0f) <= 9);
}

/** x, ax + c, a(ax + c) + c, … modulo m: each step is `a` times the step before. */
function multiplies(bytes: Bytes): boolean {
  return MODULI.some((m) => {
    const steps = stepsOf(bytes, (from, to) => (to - from + m) % m, 1);
    for (let a = 0; a < m; a++) if (isForetold(steps, 1, (at) => (a * (steps[at - 1] ?? 0)) % m)) return true;
    return false;
  });
}

/** Each byte is a sum of small multiples of the two before, as Fibonacci's. */
function addsUp(bytes: Bytes): boolean {
  for (let a = -MAX_COEFFICIENT; a <= MAX_COEFFICIENT; a++) {
    for (let b = -MAX_COEFFICIENT; b <= MAX_COEFFICIENT; b++) {
      if (isForetold(bytes, 2, (at) => (a * (bytes[at - 1] ?? 0) + b * (bytes[at - 2] ?? 0)) & 0xff)) return true;
    }
  }
  return false;
}

/** Each byte is the XOR of some of the eight before: shift registers, and powers in the field of AES. */
function shifts(bytes: Bytes): boolean {
  for (let taps = 1; taps < 2 ** REGISTER_BYTES; taps++) {
    if (isForetold(bytes, REGISTER_BYTES, (at) => tapped(bytes, at, taps))) return true;
  }
  return false;
}

function tapped(bytes: Bytes, at: number, taps: number): number {
  let sum = 0;
  for (let back = 1, left = taps; left > 0; back++, left >>= 1) if ((left & 1) === 1) sum ^= bytes[at - back] ?? 0;
  return sum;
}

/** Gives up as soon as too few bytes are left: the usual case, and most of the time that the check takes. */
function isForetold(bytes: Bytes, from: number, foretell: (at: number) => number): boolean {
  let missesLeft = bytes.length - from - MIN_FORETOLD;
  for (let at = from; at < bytes.length; at++) {
    if (foretell(at) !== bytes[at]) missesLeft -= 1;
    if (missesLeft < 0) return false;
  }
  return true;
}
