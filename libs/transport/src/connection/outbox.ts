// What waits to be sealed on one connection (docs/protocol.md §5.3): control records, and the frames of the streams.
import type { Streams } from '../frame/streams.js';
import { MAX_DATA_BYTES } from '../record/content.js';
import type { CloseReason, ControlContent, FrameSource, OutgoingContent } from '../record/content.js';
import type { Heartbeat } from './heartbeat.js';

/** So few that the peer starts on the first ones while this side still seals the next. */
export const MAX_FRAMES_IN_RECORD = 16;

/** Each control record waits at most once, so this queue is bounded by its kinds. */
export class Outbox implements FrameSource {
  readonly #streams: Streams;
  readonly #heartbeat: Heartbeat;
  readonly #first: ControlContent[] = [];
  /** Of the record that was written last. */
  #writtenBytes = 0;
  #goaway: 'none' | 'wanted' | 'sent' = 'none';
  #close: CloseReason | 'none' | 'sent' = 'none';

  constructor(streams: Streams, heartbeat: Heartbeat) {
    this.#streams = streams;
    this.#heartbeat = heartbeat;
  }

  /** CONFIRM, PING and KEY_UPDATE go before every frame, as does the PONG that the heartbeat owes. */
  push(content: ControlContent): void {
    if (!this.#first.some(({ type }) => type === content.type)) this.#first.push(content);
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
   * Gives everything that waits, DATA up to about `budgetBytes`; without a budget nothing but CLOSE. A PONG that is owed
   * waits as well: a peer that asks on and on and does not read breaks a rule, and does not fill the memory.
   */
  *take(budgetBytes: number): Generator<OutgoingContent, void> {
    if (this.#close === 'sent') return;
    if (this.#close !== 'none') {
      const reason = this.#close;
      this.#close = 'sent';
      yield { type: 'CLOSE', reason };
      return;
    }
    if (budgetBytes <= 0) return;
    yield* this.#first.splice(0);
    const token = this.#heartbeat.takeOwed();
    if (token !== undefined) yield { type: 'PONG', token };
    yield* this.#takeFrames(budgetBytes);
    if (this.#goaway === 'wanted' && !this.#streams.hasUnopened) {
      this.#goaway = 'sent';
      yield { type: 'GOAWAY' };
    }
  }

  writeFrames(target: Buffer, at: number): number {
    let bytes = 0;
    for (let frames = 0; frames < MAX_FRAMES_IN_RECORD; frames++) {
      const written = this.#streams.writeFrame(target, at + bytes, MAX_DATA_BYTES - bytes);
      if (written === 0) break;
      bytes += written;
    }
    this.#writtenBytes = bytes;
    return bytes;
  }

  *#takeFrames(budgetBytes: number): Generator<OutgoingContent, void> {
    for (let left = budgetBytes; left > 0 && this.#streams.readyCount > 0; left -= this.#writtenBytes) {
      yield { type: 'DATA', frames: this };
      if (this.#writtenBytes === 0) return;
    }
  }
}
