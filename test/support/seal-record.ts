import { recordBytes, SUITE } from '../../libs/channel/src/record/record.js';
import type { SealingHalf } from '../../libs/channel/src/record/half-connection.js';

/** The record of `inner`, in a buffer of its own. `inner` stays as it is. */
export function sealRecord(half: SealingHalf, inner: Buffer): Buffer {
  const record = Buffer.alloc(recordBytes(inner.length));
  half.sealInto(record, 0, Buffer.concat([inner], inner.length + SUITE.paddingRoomBytes), inner.length);
  return record;
}
