import { release } from '@sealwire/crypto/internal';

import { clock } from '../clock.js';
import { thisMoment } from '../moment.js';
import { FrameReader } from '../frame/frame.js';
import type { RecordContent } from '../record/content.js';
import { RecordDecoder } from '../record/record.js';
import type { Streams } from '../streams/streams.js';
import type { Clocks } from './clocks.js';
import type { ConnectionCodec } from './codec.js';
import type { RecordCounters } from './connection-state.js';

/** Opens the received records in order. Independent of writing. */
export class RecordReader {
  readonly #codec: ConnectionCodec;
  readonly #streams: Streams;
  readonly #clocks: Clocks;
  readonly #kept: RecordCounters;
  readonly #decoder = new RecordDecoder();
  #isFirst = false;
  #isStopped = false;

  constructor(codec: ConnectionCodec, streams: Streams, clocks: Clocks, kept: RecordCounters) {
    this.#codec = codec;
    this.#streams = streams;
    this.#clocks = clocks;
    this.#kept = kept;
  }

  /** Whether the last opened record is the first one. CONFIRM does not count. */
  get isFirst(): boolean {
    return this.#isFirst;
  }

  /** Whether only a part of a record has arrived. */
  get isPartial(): boolean {
    return this.#decoder.isPartial;
  }

  /** Takes a received chunk; {@link next} returns the records that it completes. */
  push(chunk: Buffer): void {
    this.#decoder.push(chunk);
  }

  /**
   * Returns the next record, E ‖ T, valid until the next call; undefined if there is none, or after {@link stop}.
   *
   * @throws {TransportError} A violation, which ends the connection.
   */
  next(): Buffer | undefined {
    if (this.#isStopped) return undefined;
    const body = this.#decoder.next();
    if (body === undefined) {
      if (this.#decoder.isPartial) this.#clocks.recordIsPartial();
      if (this.#streams.hasIncomplete) this.#clocks.messageIsIncomplete();
      return undefined;
    }
    this.#clocks.recordCompleted();
    return body;
  }

  /** @throws {TransportError} The record is not the next one of the peer, or its content is malformed. */
  open(body: Buffer): RecordContent {
    this.#isFirst = this.#kept.lastRead === undefined;
    const content = this.#codec.deserializer.deserialize(body);
    this.#kept.lastRead = thisMoment();
    return content;
  }

  /** Passes the frames of a DATA record to the streams, until a frame ends the connection. */
  receiveFrames(frames: Buffer, body: Buffer): void {
    const nowMs = clock.nowMs();
    const reader = new FrameReader(frames, body);
    while (!this.#isStopped && reader.next()) this.#streams.receive(reader, nowMs);
    this.#kept.taken.take(body.length);
    release(frames); // no view of it is kept: messages are decoded, and fragments copied
  }

  /** Ignores everything that arrives from now on. */
  stop(): void {
    this.#isStopped = true;
  }
}
