// Secrets in memory. Each has an ArrayBuffer of its own (`new Uint8Array`, `Buffer.alloc`): what `Buffer.from`,
// `Buffer.concat` and `Buffer.allocUnsafe` return is cut from one pool that all small Buffers of the process share, so
// that whoever holds any of them can read the others through its `.buffer`.
import { timingSafeEqual } from 'node:crypto';

/** Overwrites secrets with zeros. The garbage collector may have moved copies, so this promises little; it costs little. */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}

/**
 * Compares bytes in a time that depends on their lengths alone. This is the only comparison of secrets: the linter refuses
 * every other one.
 */
export function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
