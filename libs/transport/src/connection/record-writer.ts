import type { Socket } from 'node:net';

import { clock } from '../clock.js';
import { TransportError, toTransportError } from '../errors.js';
import type { Streams } from '../frame/streams.js';
import type { Limits } from '../limits.js';
import { MAX_BODY_BYTES } from '../record/record.js';
import { abandonSlab, detachFromSlab, giveBackSlab } from '../record/slab.js';
import type { ConnectionCodec } from './codec.js';
import { Deadlines } from './deadlines.js';
import { flushSizes } from './flush-sizes.js';
import type { Outbox } from './outbox.js';

export interface RecordWriterOptions {
  readonly socket: Socket;
  readonly serializer: ConnectionCodec['serializer'];
  readonly streams: Streams;
  readonly outbox: Outbox;
  readonly limits: Limits;
  /** Everything that could be sealed has been. */
  readonly flushed: () => void;
  readonly failed: (error: TransportError) => void;
}

/** DATA of one write, whatever the socket would take: so many bytes and one more record fit into a slab. */
const MAX_WRITE_BYTES = 262_144;
/** Of a large message: as much as goes before its sender does anything else. */
const EARLY_WRITES = 4;

/** Seals what the socket can take. It knows nothing of reading: a side that cannot write goes on reading. */
export class RecordWriter {
  readonly #options: RecordWriterOptions;
  readonly #stall: Deadlines<'write'>;
  #isScheduled = false;
  #hasFlushedEarly = false;
  #isStopped = false;
  /** What the socket has not taken yet, if it lies in a slab. */
  #pending: Buffer | undefined;

  constructor(options: RecordWriterOptions) {
    this.#options = options;
    this.#stall = new Deadlines(() =>
      options.failed(new TransportError('ERR_WRITE_STALLED', 'The peer takes nothing')),
    );
    options.socket.on('drain', () => this.flush());
  }

  /**
   * At the end of this turn of the event loop, or at once: the first full record of a turn, and a burst, so that the peer
   * starts on it while this side goes on. What comes behind it shares writes, and these are not so large that the two take
   * turns. A large message goes at once as well. What is paced waits: its sources go on as soon as it has gone, and would
   * keep the turn from ending.
   */
  schedule(isPaced = false): void {
    const { burstCount, openCount, sending } = this.#options.streams;
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
    const { socket, streams, flushed, failed } = this.#options;
    try {
      for (let left = writes; left > 0; left -= 1) if (!this.#writeReady()) break;
    } catch (error) {
      failed(toTransportError(error));
      return;
    }
    flushed();
    // A socket that took everything at once emits no 'drain'; one that waits for it flushes then.
    if (streams.sending.readyCount > 0 && !socket.writableNeedDrain) this.#scheduleTurn();
  }

  /** Nothing is written any more. */
  stop(): void {
    this.#isStopped = true;
    this.#options.serializer.wipe();
    this.#stall.clearAll();
    if (this.#pending !== undefined) abandonSlab(this.#pending);
  }

  /** @returns Whether there is more, and the socket has taken everything. */
  #writeReady(): boolean {
    const { socket, streams, outbox, serializer, limits } = this.#options;
    const budgetBytes = Math.min(MAX_WRITE_BYTES, limits.maxSealedBytes - socket.writableLength);
    const sealed = serializer.serialize(outbox.take(budgetBytes));
    if (sealed.length > 0) this.#write(sealed);
    return streams.sending.readyCount > 0 && socket.writableLength === 0 && !this.#isStopped;
  }

  #scheduleTurn(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    clock.setImmediate(this.#flushTurn);
  }

  readonly #flushTurn = (): void => {
    this.#isScheduled = false;
    this.#hasFlushedEarly = false;
    this.flush();
  };

  #write(sealed: Buffer): void {
    const { socket, limits } = this.#options;
    const isEmpty = socket.writableLength === 0;
    if (isEmpty) this.#givePendingBack(); // 'drain' comes before the callback of the write that it is about
    const bytes = detachFromSlab(sealed, isEmpty);
    socket.write(bytes, this.#noteProgress);
    if (socket.writableLength === 0) {
      giveBackSlab(bytes);
      return;
    }
    this.#pending ??= bytes;
    this.#stall.setOnce('write', limits.writeTimeoutMs);
  }

  readonly #noteProgress = (): void => {
    const { socket, limits } = this.#options;
    if (socket.writableLength > 0 && !this.#isStopped) {
      this.#stall.set('write', limits.writeTimeoutMs);
      return;
    }
    this.#stall.clearAll();
    if (!this.#isStopped) this.#givePendingBack();
  };

  /** The socket has taken everything. */
  #givePendingBack(): void {
    if (this.#pending !== undefined) giveBackSlab(this.#pending);
    this.#pending = undefined;
  }
}
