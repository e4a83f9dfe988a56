/**
 * Bytes for a user, in an `ArrayBuffer` of their own: `DataView`, `structuredClone` and `postMessage` show all of it, and
 * small buffers share Node's pool with others, `Buffer.from` and `Buffer.concat` included.
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
