// The records of one connection in both directions (docs/protocol.md §5). It opens and seals them, and handles DATA,
// PING, PONG and CREDIT. The connection handles the records that change its state.
import { TransportError } from '../errors.js';
import type { CloseReason, ControlContent, RecordContent } from '../record/content.js';
import type { Streams } from '../streams/streams.js';
import type { Clocks } from './clocks.js';
import type { ConnectionOptions } from './connection-options.js';
import type { RecordCounters } from './connection-state.js';
import { Outbox } from './outbox.js';
import { RecordReader } from './record-reader.js';
import { RecordWriter } from './record-writer.js';

export interface RecordLayerOwner {
  receiveGoaway(): void;
  receiveClose(reason: CloseReason): void;
  /** Called when everything that could be sealed has been sealed. */
  finishDrain(): void;
  destroy(error: TransportError): void;
}

/** Exists only while the connection is in use. */
export class RecordLayer {
  readonly #streams: Streams;
  readonly #kept: RecordCounters;
  readonly #clocks: Clocks;
  readonly #owner: RecordLayerOwner;
  readonly #outbox: Outbox;
  readonly #writer: RecordWriter;
  readonly #reader: RecordReader;
  #hasReceivedGoaway = false;
  #hasReceivedClose = false;

  constructor(options: ConnectionOptions, kept: RecordCounters, clocks: Clocks, owner: RecordLayerOwner) {
    const { socket, codec, streams, limits } = options;
    const { heartbeat, taken, window } = kept;
    this.#kept = kept;
    this.#streams = streams;
    this.#clocks = clocks;
    this.#owner = owner;
    this.#outbox = new Outbox({ streams, heartbeat, taken, window });
    const { serializer } = codec;
    this.#writer = new RecordWriter({ socket, serializer, streams, outbox: this.#outbox, clocks, limits, owner: this });
    this.#reader = new RecordReader(codec, streams, clocks, kept);
  }

  /** As {@link RecordReader.isFirst}. */
  get isFirst(): boolean {
    return this.#reader.isFirst;
  }

  /**
   * Whether the record layer can be dropped and created again: nothing is pending in either direction. Ignores streams.
   */
  get isIdle(): boolean {
    const owesNothing = this.#outbox.isEmpty && this.#kept.window.fullSinceMs === undefined;
    return owesNothing && this.#writer.isIdle && !this.#reader.isPartial;
  }

  /** Returns whether both sides have announced that they open no further streams. Only a client opens streams. */
  noStreamCanOpen(role: 'client' | 'server'): boolean {
    return this.#hasReceivedGoaway ? this.#outbox.hasSentGoaway : role === 'client';
  }

  /** The time since which the peer owes CREDIT. It owes nothing after this side has sent CLOSE. */
  get creditOwedSinceMs(): number | undefined {
    return this.#outbox.isClosing ? undefined : this.#kept.window.fullSinceMs;
  }

  /** @throws {TransportError} A violation, which ends the connection. */
  receive(chunk: Buffer): void {
    const reader = this.#reader;
    reader.push(chunk);
    for (let body = reader.next(); body !== undefined; body = reader.next()) {
      if (this.#hasReceivedClose) throw unexpected('Unexpected record after CLOSE');
      this.#receiveContent(reader.open(body), body);
    }
    if (this.#hasReceivedClose && reader.isPartial) throw unexpected('Unexpected bytes after CLOSE');
    // An answer or CREDIT may have made room for queued frames, or CREDIT is due.
    if (this.#streams.sending.readyCount > 0 || this.#kept.taken.isDue) this.#writer.schedule(true);
  }

  /** Seals `content` immediately. */
  send(content: ControlContent): void {
    this.#outbox.push(content);
    this.#writer.flush();
  }

  sendGoaway(): void {
    this.#outbox.pushGoaway();
    this.#writer.schedule();
  }

  /** Sends CLOSE, the last record. */
  sendClose(reason: CloseReason): void {
    this.#outbox.pushClose(reason);
    this.#writer.flush();
  }

  /** Seals everything that is due. */
  flush(): void {
    this.#writer.flush();
  }

  /** Schedules as {@link RecordWriter.schedule} does. */
  schedule(isPaced: boolean): void {
    this.#writer.schedule(isPaced);
  }

  /** Called when the connection ends or hibernates. */
  stop(): void {
    this.#writer.stop();
    this.#reader.stop();
  }

  noteFlushed(): void {
    if (this.#kept.window.fullSinceMs !== undefined) this.#clocks.creditIsOwed();
    this.#owner.finishDrain();
  }

  destroy(error: TransportError): void {
    this.#owner.destroy(error);
  }

  #receiveContent(content: RecordContent, body: Buffer): void {
    switch (content.type) {
      case 'DATA':
        this.#reader.receiveFrames(content.frames, body);
        return;
      case 'PING':
        if (this.#outbox.isClosing) return; // nothing is sent after CLOSE
        this.#kept.heartbeat.receivePing(content.token);
        this.#writer.schedule();
        return;
      case 'PONG':
        this.#kept.heartbeat.receivePong(content.token);
        this.#clocks.pongReceived();
        return;
      case 'CREDIT':
        if (!this.#outbox.isClosing) this.#outbox.receiveCredit(content.taken); // nothing is sent after CLOSE
        return;
      case 'GOAWAY':
        if (this.#hasReceivedGoaway) throw unexpected('Unexpected second GOAWAY');
        this.#hasReceivedGoaway = true;
        this.#owner.receiveGoaway();
        return;
      case 'CLOSE':
        this.#hasReceivedClose = true;
        this.#owner.receiveClose(content.reason);
        return;
      case 'KEY_UPDATE': // the codec has changed its key
        return;
      case 'CONFIRM':
        throw unexpected('Unexpected second CONFIRM');
    }
  }
}

export function unexpected(what: string): TransportError {
  return new TransportError('ERR_RECORD_UNEXPECTED', what);
}
