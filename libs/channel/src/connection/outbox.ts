// Everything that waits to be sealed on one connection (docs/protocol.md §5.3): control records and frames.
import { clock } from '../clock.js';
import { dataLength, MAX_DATA_BYTES } from '../record/content.js';
import type { CloseReason, ControlContent, FrameSource, OutgoingContent } from '../record/content.js';
import type { SendWindow } from '../record/send-window.js';
import type { TakenBytes } from '../record/taken-bytes.js';
import type { Streams } from '../streams/streams.js';
import { flushSizes } from './flush-sizes.js';
import type { Heartbeat } from './heartbeat.js';

/** An opportunity for the codec to update a key that has sealed enough. Updates by age need no opportunity. */
const KEY_UPDATE = { type: 'KEY_UPDATE' } as const;

export interface OutboxOptions {
  readonly streams: Streams;
  readonly heartbeat: Heartbeat;
  readonly taken: TakenBytes;
  readonly window: SendWindow;
}

/** Each kind of control record waits at most once, so the queue is bounded. */
export class Outbox implements FrameSource {
  readonly #options: OutboxOptions;
  readonly #first: ControlContent[] = [];
  /** The time at which the current records are sealed. */
  #nowMs = 0;
  /** The frame bytes of the last record. */
  #writtenBytes = 0;
  #goaway: 'none' | 'wanted' | 'sent' = 'none';
  #close: CloseReason | 'none' | 'sent' = 'none';

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Queues CONFIRM or PING, which precede an owed PONG and a due CREDIT. */
  push(content: ControlContent): void {
    if (!this.#first.some(({ type }) => type === content.type)) this.#first.push(content);
  }

  /** Queues GOAWAY, which is sent once, when no stream waits to be opened. */
  pushGoaway(): void {
    if (this.#goaway === 'none') this.#goaway = 'wanted';
  }

  /** Queues CLOSE, which is sent next and is the last record: waiting frames are dropped. */
  pushClose(reason: CloseReason): void {
    if (this.#close === 'none') this.#close = reason;
  }

  /** Whether no control record waits. */
  get isEmpty(): boolean {
    const { heartbeat, taken } = this.#options;
    const waits = this.#first.length > 0 || heartbeat.owes || taken.isDue;
    return !waits && this.#goaway !== 'wanted' && !this.isClosing;
  }

  /** Whether CLOSE was sent or is next. */
  get isClosing(): boolean {
    return this.#close !== 'none';
  }

  get hasSentGoaway(): boolean {
    return this.#goaway === 'sent';
  }

  /** @throws {TransportError} As {@link SendWindow.receiveCredit}. */
  receiveCredit(taken: number): void {
    const { streams, window } = this.#options;
    const nowMs = clock.nowMs();
    window.receiveCredit(taken, nowMs);
    streams.sending.holdBulk(window.holdsBulk(nowMs));
  }

  /**
   * Yields everything that waits, with about `budgetBytes` of DATA; without a budget only CLOSE. Owed PONG and CREDIT
   * then wait too, so that a peer that sends PINGs and does not read cannot fill the memory.
   */
  *take(budgetBytes: number): Generator<OutgoingContent, void> {
    const { streams, heartbeat, taken, window } = this.#options;
    if (this.#close === 'sent') return;
    if (this.#close !== 'none') {
      const reason = this.#close;
      this.#close = 'sent';
      yield { type: 'CLOSE', reason };
      return;
    }
    if (budgetBytes <= 0) return;
    if (this.#first.length > 0) yield* this.#first.splice(0);
    const token = heartbeat.takeOwed();
    if (token !== undefined) yield { type: 'PONG', token };
    if (taken.isDue) yield { type: 'CREDIT', taken: taken.report() };
    yield KEY_UPDATE;
    this.#nowMs = clock.nowMs();
    streams.sending.holdBulk(window.holdsBulk(this.#nowMs));
    for (let left = budgetBytes; left > 0 && streams.sending.readyCount > 0; left -= this.#writtenBytes) {
      yield { type: 'DATA', frames: this };
      if (this.#writtenBytes === 0) break;
    }
    if (this.#goaway === 'wanted' && !streams.hasUnopened) {
      this.#goaway = 'sent';
      yield { type: 'GOAWAY' };
    }
  }

  writeFrames(target: Buffer, at: number): number {
    const { streams } = this.#options;
    streams.sending.beginRecord();
    const { framesInRecord } = flushSizes(streams.openCount);
    let bytes = 0;
    for (let frames = 0; frames < framesInRecord; frames++) {
      const written = streams.writeFrame(target, at + bytes, MAX_DATA_BYTES - bytes);
      if (written === 0) break;
      bytes += written;
    }
    this.#writtenBytes = bytes;
    if (bytes > 0) this.#noteSealed(dataLength(bytes));
    return bytes;
  }

  #noteSealed(length: number): void {
    const { window } = this.#options;
    const { sending } = this.#options.streams;
    window.seal(length, this.#nowMs);
    window.noteBulk(sending.hasBulk, this.#nowMs);
    if (sending.bulkIsPassed) window.notePassed(this.#nowMs);
    sending.holdBulk(window.holdsBulk(this.#nowMs));
  }
}
