// Memory for sealed records, shared by all connections of the process. It is given back as soon as the system has taken
// what is in it, so that the next write finds it in the cache of the processor. It never holds anything but ciphertext.

/** More than what one write seals. */
const SLAB_BYTES = 524_288;
const MAX_SPARE_SLABS = 4;
/** Sockets that do not take a write at once keep its slab. If so many do, they get copies of what was sealed. */
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

/** @param part - A view of the slab, which nothing reads any more. A buffer that is not of a slab is left alone. */
export function giveBackSlab(part: Buffer): void {
  if (!slabs.has(part.buffer)) return;
  inUse -= 1;
  if (spare.length < MAX_SPARE_SLABS) spare.push(Buffer.from(part.buffer));
  else slabs.delete(part.buffer);
}

/** As {@link giveBackSlab} for a slab that something may still read: it is left to the garbage collector. */
export function abandonSlab(part: Buffer): void {
  if (slabs.delete(part.buffer)) inUse -= 1;
}

/** @returns What was sealed, to be kept by a socket: in its slab if `mayKeepSlab` and few others do, else as a copy. */
export function detachFromSlab(part: Buffer, mayKeepSlab: boolean): Buffer {
  if ((mayKeepSlab && inUse <= MAX_SLABS_IN_USE) || !slabs.has(part.buffer)) return part;
  const copy = Buffer.from(part);
  giveBackSlab(part);
  return copy;
}
