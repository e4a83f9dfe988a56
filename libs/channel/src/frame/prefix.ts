// The number at the start of a message (docs/protocol.md §6.2):
//   REQUEST  timeout ms u32 (0 = none)
//   EVENT    event sequence u64
export const TIMEOUT_BYTES = 4;
export const SEQUENCE_BYTES = 8;
const TWO_TO_32 = 0x1_0000_0000;

/** 0 for answers, which have no prefix. */
export type PrefixBytes = 0 | typeof TIMEOUT_BYTES | typeof SEQUENCE_BYTES;

/** @returns The offset after the prefix. */
export function writePrefix(target: Buffer, at: number, prefixBytes: PrefixBytes, prefix: number): number {
  if (prefixBytes === 0) return at;
  const low = prefixBytes === SEQUENCE_BYTES ? target.writeUInt32BE(Math.floor(prefix / TWO_TO_32), at) : at;
  return target.writeUInt32BE(prefix % TWO_TO_32, low);
}

/** @returns The timeout in milliseconds, 0 for none; undefined if it has not arrived yet. */
export function readTimeout(begun: Buffer): number | undefined {
  return begun.length < TIMEOUT_BYTES ? undefined : begun.readUInt32BE(0);
}

/** @returns The sequence, NaN if it is 2^53 or more; undefined if it has not arrived yet. */
export function readSequence(begun: Buffer): number | undefined {
  if (begun.length < SEQUENCE_BYTES) return undefined;
  const high = begun.readUInt32BE(0);
  return high < 2 ** 21 ? high * TWO_TO_32 + begun.readUInt32BE(4) : NaN;
}
