import type { Random } from '../support/random.js';

/** Where lengths, counters and types change their meaning. */
const EDGES = [
  0, 1, 2, 7, 8, 15, 16, 31, 32, 33, 47, 48, 127, 128, 0x7fff, 0x8000, 0xfff0, 0xffff, 0xffff_ffff,
] as const;

type Change = (bytes: Buffer, random: Random) => Buffer;

const CHANGES: readonly [Change, ...Change[]] = [
  (bytes, random) => withByte(bytes, random, (byte) => byte ^ (1 << random.below(8))),
  (bytes, random) => withByte(bytes, random, () => random.below(256)),
  (bytes, random) => withByte(bytes, random, () => random.pick(EDGES) & 0xff),
  (bytes, random) => overwrite(bytes, random, 2),
  (bytes, random) => overwrite(bytes, random, 4),
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, random) => bytes.subarray(random.below(bytes.length + 1)),
  (bytes, random) => Buffer.concat([bytes, random.bytes(1 + random.below(20))]),
  (bytes, random) => splice(bytes, random, random.bytes(1 + random.below(8))),
  (bytes, random) => splice(bytes, random, slice(bytes, random)),
  (bytes, random) => cut(bytes, random),
];

/** One to four small changes. The result may share memory with `bytes`; `bytes` itself is not modified. */
export function mutate(bytes: Buffer, random: Random): Buffer {
  let changed = bytes;
  for (let left = 1 + random.below(4); left > 0; left--) changed = random.pick(CHANGES)(changed, random);
  return changed;
}

function withByte(bytes: Buffer, random: Random, change: (byte: number) => number): Buffer {
  if (bytes.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  const at = random.below(copy.length);
  copy[at] = change(copy.readUInt8(at));
  return copy;
}

function overwrite(bytes: Buffer, random: Random, width: 2 | 4): Buffer {
  if (bytes.length < width) return bytes;
  const copy = Buffer.from(bytes);
  const edge = random.pick(EDGES);
  const value = width === 2 ? edge & 0xffff : edge;
  copy.writeUIntBE(value, random.below(copy.length - width + 1), width);
  return copy;
}

function splice(bytes: Buffer, random: Random, inserted: Buffer): Buffer {
  const at = random.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)]);
}

function slice(bytes: Buffer, random: Random): Buffer {
  const start = random.below(bytes.length + 1);
  return bytes.subarray(start, start + random.below(64));
}

function cut(bytes: Buffer, random: Random): Buffer {
  const start = random.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + random.below(16))]);
}

/** The same bytes in pieces of 1 to `most`. */
export function* pieces(bytes: Buffer, most: number, random: Random): Generator<Buffer, void> {
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random.below(most);
    yield bytes.subarray(at, end);
    at = end;
  }
}
