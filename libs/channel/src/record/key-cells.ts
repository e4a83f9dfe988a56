// The traffic keys of all connections, in memory that they share with nothing else. It is outside the heap: the garbage
// collector copies none of them to another place, and a key costs an idle connection its bytes and a number.
import { wipe } from '@sealwire/crypto';

import { SUITE } from './record.js';

const CHUNK_KEYS = 1_024;
const { keyBytes } = SUITE;

const chunks: Buffer[] = [];
const free: number[] = [];

/** Copies the key. @returns Its cell, until {@link freeCell}. */
export function takeCell(key: Uint8Array): number {
  const cell = free.pop() ?? addChunk();
  viewCell(cell).set(key);
  return cell;
}

/** Returns a view of the key in this cell. */
export function viewCell(cell: number): Buffer {
  const start = (cell % CHUNK_KEYS) * keyBytes;
  const chunk = chunks[Math.floor(cell / CHUNK_KEYS)];
  if (chunk === undefined) throw new RangeError(`There is no key in cell ${cell}`);
  return chunk.subarray(start, start + keyBytes);
}

/** Overwrites the key. The cell is free again. */
export function freeCell(cell: number): void {
  wipe(viewCell(cell));
  free.push(cell);
}

/** @returns One of its cells; the others are free. */
function addChunk(): number {
  const first = chunks.length * CHUNK_KEYS;
  chunks.push(Buffer.alloc(CHUNK_KEYS * keyBytes));
  for (let cell = first + CHUNK_KEYS - 1; cell > first; cell--) free.push(cell);
  return first;
}
