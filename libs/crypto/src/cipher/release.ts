import { MessageChannel } from 'node:worker_threads';

/** Below that a buffer costs less to collect than to detach. */
const MIN_BYTES = 2_048;
/** A view may leave out so much of its memory: a type before it, the padding behind it. */
const MAX_LEFT_OUT_BYTES = 64;

// Node 20 has no other way to detach an ArrayBuffer than to send it; a port whose other end is closed drops it at once.
const { port1: closedPort, port2: otherEnd } = new MessageChannel();
otherEnd.close();
closedPort.close();

/**
 * Frees the memory of `bytes` now, not when the garbage collector comes to it: what is allocated next is then still in the
 * cache of the processor. Nothing may use the buffer after that, or another view of its memory; they have length 0.
 *
 * A small buffer, and one that has only a part of its memory, as those from Node's pool have, is left alone.
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
