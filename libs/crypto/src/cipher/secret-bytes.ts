// Secrets in memory. Each has an ArrayBuffer of its own (`new Uint8Array`, `Buffer.alloc`). `Buffer.from`,
// `Buffer.concat` and `Buffer.allocUnsafe` return slices of a pool that all small Buffers of the process share, and any
// of those slices exposes the others through its `.buffer`.
import { timingSafeEqual } from 'node:crypto';

/** Overwrites secrets with zeros, as far as possible: the garbage collector may have left copies elsewhere. */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}

/**
 * Compares bytes in a time that depends only on their lengths. The linter rejects every other use of `timingSafeEqual`.
 */
export function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
