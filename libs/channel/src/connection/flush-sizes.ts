// How many frames go together. A write costs much more than a frame does, and a record a little more; but while one side
// still collects, the other may have nothing to do.
import { MANY_STREAMS } from '../streams/streams.js';

export interface FlushSizes {
  readonly framesInRecord: number;
  /** So many ready ones are worth the first write of a turn. */
  readonly framesOfFirstWrite: number;
  readonly framesOfLaterWrite: number;
}

/** So few that the peer starts on the first ones while this side still seals the next. */
const FOR_FEW_STREAMS: FlushSizes = { framesInRecord: 16, framesOfFirstWrite: 16, framesOfLaterWrite: 64 };
/** The peer has enough from the write before. */
const FOR_MANY_STREAMS: FlushSizes = { framesInRecord: 64, framesOfFirstWrite: 32, framesOfLaterWrite: 64 };

/** @param openCount - Streams of the connection that are open. */
export function flushSizes(openCount: number): FlushSizes {
  return openCount < MANY_STREAMS ? FOR_FEW_STREAMS : FOR_MANY_STREAMS;
}
