import { MessageChannel } from 'node:worker_threads';

/** For smaller buffers, garbage collection costs less than detaching. */
const MIN_BYTES = 2_048;
/** The bytes of the memory that a view may omit: a type before it, the padding after it. */
const MAX_LEFT_OUT_BYTES = 64;

// In Node 20, sending an ArrayBuffer is the only way to detach it; a port whose other end is closed drops it
// immediately.
const { port1: closedPort, port2: otherEnd } = new MessageChannel();
otherEnd.close();
closedPort.close();

/**
 * Frees the memory of `bytes` now instead of waiting for the garbage collector: the next allocation then finds it in
 * the cache of the processor. The buffer, and all other views of its memory, have length 0 afterwards.
 *
 * Does nothing for a small buffer, or for one that is only a part of its memory, such as a slice of Node's pool.
 */
export function release(bytes: Uint8Array): void {
  const { buffer } = bytes;
  const isWhole = bytes.byteLength + MAX_LEFT_OUT_BYTES >= buffer.byteLength && buffer.byteLength !== Buffer.poolSize;
  if (buffer.byteLength < MIN_BYTES || !isWhole || !(buffer instanceof ArrayBuffer)) return;
  if (canTransfer(buffer)) buffer.transfer(0);
  else closedPort.postMessage(undefined, [buffer]);
}

/** Returns whether a buffer has `transfer`, as in Node 21 and later. */
function canTransfer(buffer: ArrayBuffer): buffer is ArrayBuffer & { transfer(bytes: number): ArrayBuffer } {
  return 'transfer' in buffer;
}
