// The number of frames per record and per write. A write costs much more than a frame, and a record a little more; but
// while one side still collects frames, the other side may be idle.
import { MANY_STREAMS } from '../streams/streams.js';

export interface FlushSizes {
  readonly framesInRecord: number;
  /** The number of ready frames that triggers the first write of a turn. */
  readonly framesOfFirstWrite: number;
  readonly framesOfLaterWrite: number;
}

/** Small enough that the peer works on the first frames while this side seals the next ones. */
const FOR_FEW_STREAMS: FlushSizes = { framesInRecord: 16, framesOfFirstWrite: 16, framesOfLaterWrite: 64 };
/** The previous write keeps the peer busy, so writes may be larger. */
const FOR_MANY_STREAMS: FlushSizes = { framesInRecord: 64, framesOfFirstWrite: 32, framesOfLaterWrite: 64 };

/** @param openCount - The number of open streams of the connection. */
export function flushSizes(openCount: number): FlushSizes {
  return openCount < MANY_STREAMS ? FOR_FEW_STREAMS : FOR_MANY_STREAMS;
}
