// What waits to be sealed on one connection (docs/protocol.md §5.3): control records, and the frames of the streams.
import { frameBytes, framesBytes } from '../frame/frame.js';
import type { Frame } from '../frame/frame.js';
import type { Streams } from '../frame/streams.js';
import { MAX_DATA_BYTES } from '../record/content.js';
import type { CloseReason, OutgoingContent, RecordContent } from '../record/content.js';
import type { Heartbeat } from './heartbeat.js';

/** So few that the peer starts on the first ones while this side still seals the next. */
export const MAX_FRAMES_IN_RECORD = 16;

/** Each control record waits at most once, so this queue is bounded by its kinds. */
export class Outbox {
  readonly #streams: Streams;
  readonly #heartbeat: Heartbeat;
  readonly #first: RecordContent[] = [];
  #goaway: 'none' | 'wanted' | 'sent' = 'none';
  #close: CloseReason | 'none' | 'sent' = 'none';

  constructor(streams: Streams, heartbeat: Heartbeat) {
    this.#streams = streams;
    this.#heartbeat = heartbeat;
  }

  /** CONFIRM and PING go before every frame, as does the PONG that the heartbeat owes. */
  push(content: RecordContent): void {
    this.#first.push(content);
  }

  /** GOAWAY goes once, as soon as no stream is left to be opened. */
  pushGoaway(): void {
    if (this.#goaway === 'none') this.#goaway = 'wanted';
  }

  /** CLOSE goes at once; frames that wait are dropped, and nothing follows it. */
  pushClose(reason: CloseReason): void {
    if (this.#close === 'none') this.#close = reason;
  }

  get hasSentGoaway(): boolean {
    return this.#goaway === 'sent';
  }

  /**
   * Everything that waits, DATA up to about `budgetBytes`; without a budget nothing but CLOSE. A PONG that is owed waits as
   * well: a peer that asks on and on and does not read breaks a rule, and does not fill the memory.
   */
  take(budgetBytes: number): OutgoingContent[] {
    if (this.#close === 'sent') return [];
    if (this.#close !== 'none') return this.#takeClose(this.#close);
    if (budgetBytes <= 0) return [];
    const contents: OutgoingContent[] = this.#first.splice(0);
    const token = this.#heartbeat.takeOwed();
    if (token !== undefined) contents.push({ type: 'PONG', token });
    this.#takeFrames(contents, budgetBytes);
    if (this.#goaway === 'wanted' && !this.#streams.hasUnopened) {
      this.#goaway = 'sent';
      contents.push({ type: 'GOAWAY' });
    }
    return contents;
  }

  #takeClose(reason: CloseReason): RecordContent[] {
    this.#close = 'sent';
    return [{ type: 'CLOSE', reason }];
  }

  #takeFrames(contents: OutgoingContent[], budgetBytes: number): void {
    for (let left = budgetBytes; left > 0;) {
      const frames = this.#framesOfRecord();
      if (frames.length === 0) return;
      contents.push({ type: 'DATA', frames });
      left -= framesBytes(frames);
    }
  }

  #framesOfRecord(): Frame[] {
    const frames: Frame[] = [];
    let room = MAX_DATA_BYTES;
    while (frames.length < MAX_FRAMES_IN_RECORD) {
      const frame = this.#streams.nextFrame(room);
      if (frame === undefined) break;
      frames.push(frame);
      room -= frameBytes(frame);
    }
    return frames;
  }
}
