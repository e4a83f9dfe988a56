import { release } from '@sealwire/crypto';

import { clock } from '../clock.js';
import { FrameReader } from '../frame/frame.js';
import type { Streams } from '../frame/streams.js';
import { RecordDecoder } from '../record/record.js';
import type { RecordContent } from '../record/content.js';
import type { TakenBytes } from '../record/taken-bytes.js';
import type { Clocks } from './clocks.js';
import type { ConnectionCodec } from './codec.js';

export interface RecordReaderOptions {
  readonly deserializer: ConnectionCodec['deserializer'];
  readonly streams: Streams;
  readonly clocks: Clocks;
  readonly taken: TakenBytes;
  /** @throws {TransportError} No record may come at this point. */
  readonly admit: () => void;
  readonly receive: (content: RecordContent, body: Buffer) => void;
}

/** Opens what the socket brings, record by record. It knows nothing of writing. */
export class RecordReader {
  readonly #options: RecordReaderOptions;
  readonly #decoder = new RecordDecoder();
  #isFirst = true;
  #isStopped = false;

  constructor(options: RecordReaderOptions) {
    this.#options = options;
  }

  /** Whether no record came before the one whose content is being received. CONFIRM does not count. */
  get isFirst(): boolean {
    return this.#isFirst;
  }

  /** Whether a record has begun and is not complete. */
  get isPartial(): boolean {
    return this.#decoder.isPartial;
  }

  /** @throws {TransportError} A violation: it ends the connection. */
  push(chunk: Buffer): void {
    const { streams, clocks } = this.#options;
    this.#decoder.push(chunk, this.#take);
    if (this.#isStopped) return;
    if (this.#decoder.isPartial) clocks.recordIsPartial();
    if (streams.hasIncomplete) clocks.messageIsIncomplete();
  }

  /** One for all records of the connection. */
  readonly #take = (body: Buffer): boolean => {
    const { deserializer, clocks, taken, admit, receive } = this.#options;
    clocks.recordCompleted();
    admit();
    const content = deserializer.deserialize(body);
    receive(content, body);
    if (content.type === 'DATA') {
      taken.take(body.length);
      release(content.frames); // nothing of it is kept: messages are decoded, pieces copied
    }
    this.#isFirst = false;
    return !this.#isStopped;
  };

  /** Hands the frames of a DATA record to the streams, until one of them has ended the connection. */
  receiveFrames(frames: Buffer, body: Buffer): void {
    const nowMs = clock.nowMs();
    const reader = new FrameReader(frames, body);
    while (!this.#isStopped && reader.next()) this.#options.streams.receive(reader, nowMs);
  }

  /** Nothing is received any more. */
  stop(): void {
    this.#isStopped = true;
    this.#options.deserializer.wipe();
  }
}
