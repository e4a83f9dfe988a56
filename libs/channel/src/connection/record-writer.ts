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
  /** Called when everything that could be sealed has been sealed. */
  noteFlushed(): void;
  destroy(error: TransportError): void;
}

/** The maximum DATA of one write. These bytes and one more record fit into a slab. */
const MAX_WRITE_BYTES = 262_144;
/** The number of writes of a large message that leave immediately, before its sender continues. */
const EARLY_WRITES = 4;

/** Seals as much as the socket takes. Independent of reading, because a side that cannot write must still read. */
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
  /** The bytes that the socket has not flushed yet, if they are in a slab. */
  #pending: Buffer | undefined;
  /** Callbacks for the end of a turn and for a finished write, created on first use. */
  #flushTurn: (() => void) | undefined;
  #noteProgress: (() => void) | undefined;
  /** The listener for 'drain', added by the first write that the socket had to buffer. */
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
   * Flushes at the end of this turn of the event loop. The first full record of a turn, a burst, and a large message
   * leave immediately, so that the peer works on them while this side continues. Later frames of the turn share writes,
   * which are small enough that the two sides work at the same time. Paced frames always wait for the end of the turn:
   * their sources continue as soon as they have been written, and the turn would never end.
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

  /** @param writes - The maximum number of writes. Each after the first needs a socket that has flushed everything. */
  flush(writes = 1): void {
    if (this.#isStopped) return;
    try {
      for (let left = writes; left > 0; left -= 1) if (!this.#writeReady()) break;
    } catch (error) {
      this.#owner.destroy(toTransportError(error));
      return;
    }
    this.#owner.noteFlushed();
    // A socket that flushed everything emits no 'drain'; otherwise 'drain' continues.
    if (this.#streams.sending.readyCount > 0 && !this.#socket.writableNeedDrain) this.#scheduleTurn();
  }

  /** Whether nothing waits to be written, and the socket has flushed everything. */
  get isIdle(): boolean {
    return !this.#isScheduled && this.#pending === undefined && this.#socket.writableLength === 0;
  }

  /** Stops writing for good. */
  stop(): void {
    this.#isStopped = true;
    this.#clocks.writeIsDone();
    if (this.#onDrain !== undefined) this.#socket.off('drain', this.#onDrain);
    if (this.#pending !== undefined) abandonSlab(this.#pending);
  }

  /** @returns Whether more frames are ready, and the socket has flushed everything. */
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
    if (isEmpty) this.#givePendingBack(); // 'drain' fires before the callback of its write
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

  /** Returns the slab after the socket has flushed everything. */
  #givePendingBack(): void {
    if (this.#pending !== undefined) giveBackSlab(this.#pending);
    this.#pending = undefined;
  }
}
