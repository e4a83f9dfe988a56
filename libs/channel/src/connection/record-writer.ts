import type { Socket } from 'node:net';

import { clock } from '../clock.js';
import { toTransportError } from '../errors.js';
import type { TransportError } from '../errors.js';
import type { Limits } from '../options/limits.js';
import { MAX_BODY_BYTES } from '../record/record.js';
import { abandonSlab, detachFromSlab, giveBackSlab } from '../record/slab.js';
import type { FrameWriter } from '../sending/sending.js';
import type { Streams } from '../streams/streams.js';
import type { Clocks } from './clocks.js';
import type { ConnectionCodec } from './codec.js';
import { flushSizes } from './flush-sizes.js';
import type { Outbox } from './outbox.js';

export interface RecordWriterOptions {
  readonly socket: Socket;
  readonly serializer: ConnectionCodec['serializer'];
  readonly streams: Streams;
  readonly outbox: Outbox;
  readonly clocks: Clocks;
  readonly limits: Limits;
  readonly owner: WriterOwner;
}

export interface WriterOwner {
  /** Everything that could be sealed has been. */
  noteFlushed(): void;
  destroy(error: TransportError): void;
}

/** DATA of one write, whatever the socket would take: so many bytes and one more record fit into a slab. */
const MAX_WRITE_BYTES = 262_144;
/** Of a large message: as much as goes before its sender does anything else. */
const EARLY_WRITES = 4;

/** Seals what the socket can take. It has no part in reading: a side that cannot write goes on reading. */
export class RecordWriter implements FrameWriter {
  readonly #socket: Socket;
  readonly #serializer: ConnectionCodec['serializer'];
  readonly #streams: Streams;
  readonly #outbox: Outbox;
  readonly #clocks: Clocks;
  readonly #maxSealedBytes: number;
  readonly #owner: WriterOwner;
  #isScheduled = false;
  #hasFlushedEarly = false;
  #isStopped = false;
  /** What the socket has not taken yet, if it lies in a slab. */
  #pending: Buffer | undefined;
  /** Called at the end of a turn, and when a write has gone; made when they are needed. */
  #flushTurn: (() => void) | undefined;
  #noteProgress: (() => void) | undefined;
  /** Listens while the writer is in use, from the first write that the socket could not take. */
  #onDrain: (() => void) | undefined;

  constructor({ socket, serializer, streams, outbox, clocks, limits, owner }: RecordWriterOptions) {
    this.#socket = socket;
    this.#serializer = serializer;
    this.#streams = streams;
    this.#outbox = outbox;
    this.#clocks = clocks;
    this.#maxSealedBytes = limits.maxSealedBytes;
    this.#owner = owner;
  }

  /**
   * At the end of this turn of the event loop, or at once: the first full record of a turn, and a burst, so that the peer
   * starts on it while this side goes on. What comes behind it shares writes, and these are not so large that the two take
   * turns. A large message goes at once as well. What is paced waits: its sources go on as soon as it has gone, and would
   * keep the turn from ending.
   */
  schedule(isPaced = false): void {
    const { burstCount, openCount, sending } = this.#streams;
    const { framesOfFirstWrite, framesOfLaterWrite } = flushSizes(openCount);
    const enough = this.#hasFlushedEarly ? framesOfLaterWrite : framesOfFirstWrite;
    if (!isPaced && (sending.readyCount >= Math.min(enough, burstCount) || sending.readyBytes >= MAX_BODY_BYTES)) {
      this.#hasFlushedEarly = true;
      this.flush(EARLY_WRITES);
    }
    this.#scheduleTurn();
  }

  /** @param writes - At most; further ones only as long as the socket takes everything at once. */
  flush(writes = 1): void {
    if (this.#isStopped) return;
    try {
      for (let left = writes; left > 0; left -= 1) if (!this.#writeReady()) break;
    } catch (error) {
      this.#owner.destroy(toTransportError(error));
      return;
    }
    this.#owner.noteFlushed();
    // A socket that took everything at once emits no 'drain'; one that waits for it flushes then.
    if (this.#streams.sending.readyCount > 0 && !this.#socket.writableNeedDrain) this.#scheduleTurn();
  }

  /** Whether nothing is to be written, and the socket has taken everything. */
  get isIdle(): boolean {
    return !this.#isScheduled && this.#pending === undefined && this.#socket.writableLength === 0;
  }

  /** Nothing is written any more. */
  stop(): void {
    this.#isStopped = true;
    this.#clocks.writeIsDone();
    if (this.#onDrain !== undefined) this.#socket.off('drain', this.#onDrain);
    if (this.#pending !== undefined) abandonSlab(this.#pending);
  }

  /** @returns Whether there is more, and the socket has taken everything. */
  #writeReady(): boolean {
    const socket = this.#socket;
    const budgetBytes = Math.min(MAX_WRITE_BYTES, this.#maxSealedBytes - socket.writableLength);
    const sealed = this.#serializer.serialize(this.#outbox.take(budgetBytes));
    if (sealed.length > 0) this.#write(sealed);
    return this.#streams.sending.readyCount > 0 && socket.writableLength === 0 && !this.#isStopped;
  }

  #scheduleTurn(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#flushTurn ??= () => {
      this.#isScheduled = false;
      this.#hasFlushedEarly = false;
      this.flush();
    };
    clock.setImmediate(this.#flushTurn);
  }

  #write(sealed: Buffer): void {
    const socket = this.#socket;
    const isEmpty = socket.writableLength === 0;
    if (isEmpty) this.#givePendingBack(); // 'drain' comes before the callback of the write that it is about
    const bytes = detachFromSlab(sealed, isEmpty);
    this.#noteProgress ??= () => this.#receiveProgress();
    socket.write(bytes, this.#noteProgress);
    this.#clocks.hibernateLater();
    if (socket.writableNeedDrain && this.#onDrain === undefined) {
      this.#onDrain = () => this.flush();
      socket.on('drain', this.#onDrain);
    }
    if (socket.writableLength === 0) {
      giveBackSlab(bytes);
      return;
    }
    this.#pending ??= bytes;
    this.#clocks.writeIsPending();
  }

  #receiveProgress(): void {
    if (this.#isStopped) return;
    if (this.#socket.writableLength > 0) {
      this.#clocks.writeHasMoved();
      return;
    }
    this.#clocks.writeIsDone();
    this.#givePendingBack();
  }

  /** The socket has taken everything. */
  #givePendingBack(): void {
    if (this.#pending !== undefined) giveBackSlab(this.#pending);
    this.#pending = undefined;
  }
}
