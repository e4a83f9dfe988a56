import type { SecretKey } from './secret-key.js';

/**
 * The state of a key of a ring.
 *
 * - `primary`: starts handshakes, and is accepted. A ring has at most one.
 * - `accept`: accepted from the other end.
 * - `retired`: kept in the file, but no longer used. Connections with it are drained.
 * - `revoked`: like `retired`, but connections with it are destroyed immediately.
 */
export type KeyState = (typeof KEY_STATES)[number];

export const KEY_STATES = ['primary', 'accept', 'retired', 'revoked'] as const;

/** A key of a ring, with the conditions under which it may be used. Its label and patterns are in the key itself. */
export interface RingKey {
  readonly key: SecretKey;
  readonly state: KeyState;
  /** The first moment of use, in milliseconds since 1970; undefined if the key may be used from the start. */
  readonly notBefore?: number | undefined;
  /** The moment from which the key can no longer be used, in milliseconds since 1970; undefined if there is none. */
  readonly notAfter?: number | undefined;
}

/** Returns whether a key may be used at a moment. */
export function isUsable({ state, notBefore = -Infinity, notAfter = Infinity }: RingKey, unixMs: number): boolean {
  return (state === 'primary' || state === 'accept') && notBefore <= unixMs && unixMs < notAfter;
}

/** Returns the next moment at which the window of one of these keys begins or ends; undefined if there is none. */
export function nextBoundary(keys: readonly RingKey[], unixMs: number): number | undefined {
  const boundaries = keys
    .filter(({ state }) => state === 'primary' || state === 'accept')
    .flatMap(({ notBefore = -Infinity, notAfter = -Infinity }) => [notBefore, notAfter])
    .filter((boundary) => boundary > unixMs);
  return boundaries.length === 0 ? undefined : Math.min(...boundaries);
}
