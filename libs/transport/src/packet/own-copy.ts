/**
 * Copies bytes for a user into a separate `ArrayBuffer`. Buffers from `Buffer.from` and `Buffer.concat` may share Node's
 * pool, and `DataView`, `structuredClone` and `postMessage` would expose all of it.
 */
export function ownCopy(...parts: readonly Uint8Array[]): Buffer {
  const copy = Buffer.allocUnsafeSlow(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    copy.set(part, at);
    at += part.byteLength;
  }
  return copy;
}
