import { release } from '@sealwire/crypto/internal';

import { clock } from '../clock.js';
import { FrameReader } from '../frame/frame.js';
import type { RecordContent } from '../record/content.js';
import { RecordDecoder } from '../record/record.js';
import type { Streams } from '../streams/streams.js';
import type { Clocks } from './clocks.js';
import type { ConnectionCodec } from './codec.js';
import type { RecordCounters } from './connection-state.js';

/** Opens what the socket brings, one record after the other. It has no part in writing. */
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

  /** Whether no record came before the one that was opened last. CONFIRM does not count. */
  get isFirst(): boolean {
    return this.#isFirst;
  }

  /** Whether a record has begun and is not complete. */
  get isPartial(): boolean {
    return this.#decoder.isPartial;
  }

  /** Takes what has come; {@link next} gives the records that it completes. */
  push(chunk: Buffer): void {
    this.#decoder.push(chunk);
  }

  /**
   * The next record, E ‖ T, valid until the next call; undefined if there is none, or nothing is received any more.
   *
   * @throws {TransportError} A violation: it ends the connection.
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

  /** @throws {TransportError} The record is not what the peer sealed next, or nothing that it may say. */
  open(body: Buffer): RecordContent {
    this.#isFirst = !this.#kept.hasReceived;
    this.#kept.hasReceived = true;
    return this.#codec.deserializer.deserialize(body);
  }

  /** Hands the frames of a DATA record to the streams, until one of them has ended the connection. */
  receiveFrames(frames: Buffer, body: Buffer): void {
    const nowMs = clock.nowMs();
    const reader = new FrameReader(frames, body);
    while (!this.#isStopped && reader.next()) this.#streams.receive(reader, nowMs);
    this.#kept.taken.take(body.length);
    release(frames); // nothing of it is kept: messages are decoded, pieces copied
  }

  /** Nothing is received any more. */
  stop(): void {
    this.#isStopped = true;
  }
}
