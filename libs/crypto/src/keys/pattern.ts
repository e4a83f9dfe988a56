// Detects keys that come from a loop or a person (docs/protocol.md §2.2). Most of them have few different values,
// either of their bytes or of the steps from byte to byte. A step is a difference modulo 256, taken up to three times
// (arithmetic sequences, squares, cubes), or an XOR (counters under a mask, Gray code), from each byte to the one `lag`
// places after it (interleaved sequences). Sequences that multiply, add or shift are detected by their rule, and text
// of two or four bytes per character by a column with few values.
//
// The limits are chosen so that all these checks together reject fewer than one random key in 10^11.

const MAX_LAG = 16;
const MAX_ORDER = 3;
const MIN_STEPS = 12;
/** A rule that predicts this many bytes is not an accident: by chance it predicts one byte in 256. */
const MIN_PREDICTED = 12;
/** Bytes wrap at 256. The others are the moduli that loops use: two primes and a mask. */
const MODULI = [256, 257, 255, 251];
const MAX_COEFFICIENT = 3;
const REGISTER_BYTES = 8;
/** The values of random bytes span nearly all of 0 to 255. */
const MIN_SPREAD = 64;
/** The distance between the bytes of a column, and the number of different values up to which it is a pattern. */
const COLUMNS = [
  [1, 16],
  [2, 6],
  [4, 2],
] as const;

/** Returns whether 32 bytes follow a pattern that an attacker could guess. */
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
    // The chance that 12 to 32 random bytes have at most this many different values is at most 10^-13.
    if (new Set(steps).size <= Math.floor(0.6 * steps.length - 3)) return true;
  }
  return false;
}

function stepsOf(bytes: Bytes, step: Step, lag: number): Bytes {
  return bytes.slice(lag).map((to, at) => step(bytes[at] ?? 0, to));
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

/** Returns whether the bytes are decimal digits, two per byte, as of π, a date or a telephone number. */
function isDecimal(bytes: Bytes): boolean {
  return bytes.every((byte) => byte >> 4 <= 9 && (byte & 0x0f) <= 9);
}

/** Returns whether the bytes are x, ax + c, a(ax + c) + c, … modulo m: each step is `a` times the previous step. */
function multiplies(bytes: Bytes): boolean {
  return MODULI.some((m) => {
    const steps = stepsOf(bytes, (from, to) => (to - from + m) % m, 1);
    for (let a = 0; a < m; a++) if (isPredicted(steps, 1, (at) => (a * (steps[at - 1] ?? 0)) % m)) return true;
    return false;
  });
}

/** Returns whether each byte is a sum of small multiples of the two previous bytes, as in the Fibonacci sequence. */
function addsUp(bytes: Bytes): boolean {
  for (let a = -MAX_COEFFICIENT; a <= MAX_COEFFICIENT; a++) {
    for (let b = -MAX_COEFFICIENT; b <= MAX_COEFFICIENT; b++) {
      if (isPredicted(bytes, 2, (at) => (a * (bytes[at - 1] ?? 0) + b * (bytes[at - 2] ?? 0)) & 0xff)) return true;
    }
  }
  return false;
}

/**
 * Returns whether each byte is the XOR of some of the eight previous bytes, as in shift registers and in powers in the
 * field of AES.
 */
function shifts(bytes: Bytes): boolean {
  for (let taps = 1; taps < 2 ** REGISTER_BYTES; taps++) {
    if (isPredicted(bytes, REGISTER_BYTES, (at) => tapped(bytes, at, taps))) return true;
  }
  return false;
}

function tapped(bytes: Bytes, at: number, taps: number): number {
  let sum = 0;
  for (let back = 1, left = taps; left > 0; back++, left >>= 1) if ((left & 1) === 1) sum ^= bytes[at - back] ?? 0;
  return sum;
}

/** Stops as soon as too few bytes are left. That is the usual case, and determines how long the check takes. */
function isPredicted(bytes: Bytes, from: number, predict: (at: number) => number): boolean {
  let missesLeft = bytes.length - from - MIN_PREDICTED;
  for (let at = from; at < bytes.length; at++) {
    if (predict(at) !== bytes[at]) missesLeft -= 1;
    if (missesLeft < 0) return false;
  }
  return true;
}
