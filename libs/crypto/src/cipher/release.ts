import { MessageChannel } from 'node:worker_threads';

/** A smaller buffer costs less to collect than to detach. */
const MIN_BYTES = 2_048;
/** The bytes of its memory that a view may leave out: a type before it, the padding after it. */
const MAX_LEFT_OUT_BYTES = 64;

// Node 20 has no other way to detach an ArrayBuffer than to send it; a port whose other end is closed drops it at once.
const { port1: closedPort, port2: otherEnd } = new MessageChannel();
otherEnd.close();
closedPort.close();

/**
 * Frees the memory of `bytes` now, before the garbage collector runs: the next allocation then finds it in the cache of the
 * processor. Nothing may use the buffer afterwards, or another view of its memory; they have length 0.
 *
 * Leaves a small buffer alone, and one that has only a part of its memory, such as a slice of Node's pool.
 */
export function release(bytes: Uint8Array): void {
  const { buffer } = bytes;
  const isWhole = bytes.byteLength + MAX_LEFT_OUT_BYTES >= buffer.byteLength && buffer.byteLength !== Buffer.poolSize;
  if (buffer.byteLength < MIN_BYTES || !isWhole || !(buffer instanceof ArrayBuffer)) return;
  if (canTransfer(buffer)) buffer.transfer(0);
  else closedPort.postMessage(undefined, [buffer]);
}

/** Since Node 21. */
function canTransfer(buffer: ArrayBuffer): buffer is ArrayBuffer & { transfer(bytes: number): ArrayBuffer } {
  return 'transfer' in buffer;
}
