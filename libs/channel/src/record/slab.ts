// Memory for sealed records, shared by all connections of the process. It is returned as soon as the system has taken
// the bytes, so that the next write finds it in the cache of the processor. It contains only ciphertext.

/** More than one write seals. */
const SLAB_BYTES = 524_288;
const MAX_SPARE_SLABS = 4;
/** A socket that buffers a write keeps its slab. With more slabs in use, sockets get copies instead. */
const MAX_SLABS_IN_USE = 16;

const slabs = new WeakSet<ArrayBufferLike>();
const spare: Buffer[] = [];
let inUse = 0;

export function takeSlab(): Buffer {
  inUse += 1;
  const slab = spare.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
  slabs.add(slab.buffer);
  return slab;
}

/** Returns a slab to the pool. @param part - An unused view of it; other buffers are ignored. */
export function giveBackSlab(part: Buffer): void {
  if (!slabs.has(part.buffer)) return;
  inUse -= 1;
  if (spare.length < MAX_SPARE_SLABS) spare.push(Buffer.from(part.buffer));
  else slabs.delete(part.buffer);
}

/** Gives back a slab that may still be read: unlike {@link giveBackSlab}, leaves it to the garbage collector. */
export function abandonSlab(part: Buffer): void {
  if (slabs.delete(part.buffer)) inUse -= 1;
}

/**
 * Returns sealed bytes that a socket may keep: in their slab if `mayKeepSlab` and few slabs are in use, otherwise as a
 * copy.
 */
export function detachFromSlab(part: Buffer, mayKeepSlab: boolean): Buffer {
  if ((mayKeepSlab && inUse <= MAX_SLABS_IN_USE) || !slabs.has(part.buffer)) return part;
  const copy = Buffer.from(part);
  giveBackSlab(part);
  return copy;
}
