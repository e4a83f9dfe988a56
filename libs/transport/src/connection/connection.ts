// One secure connection from the end of the handshake on (docs/protocol.md §5): the only owner of its socket and timers.
//
//   WAIT_CONFIRM (server only) → OPEN → DRAINING (GOAWAY) → CLOSING (CLOSE sent) → ENDED (CLOSE received) → CLOSED
import type { Socket } from 'node:net';

import { toTransportError, TransportError } from '../errors.js';
import { decodeFrames } from '../frame/frame.js';
import type { Streams } from '../frame/streams.js';
import type { Limits } from '../limits.js';
import type { CloseReason, RecordContent } from '../record/content.js';
import { MIN_BODY_BYTES, RecordDecoder } from '../record/record.js';
import { Clocks } from './clocks.js';
import type { ConnectionCodec } from './codec.js';
import { Heartbeat } from './heartbeat.js';
import { Outbox } from './outbox.js';
import { RecordWriter } from './record-writer.js';

export interface ConnectionEvents {
  /** A server's client has proved the key. */
  readonly opened?: () => void;
  /** The peer wants no new streams here. */
  readonly goingAway?: () => void;
  /** Once, at the very end. Without an error both sides agreed to close. */
  readonly closed: (error: TransportError | undefined) => void;
}

export interface ConnectionOptions {
  readonly role: 'client' | 'server';
  readonly socket: Socket;
  readonly codec: ConnectionCodec;
  readonly streams: Streams;
  readonly limits: Limits;
  readonly events: ConnectionEvents;
}

type State =
  | { readonly at: 'WAIT_CONFIRM' | 'OPEN' | 'CLOSING' | 'ENDED' | 'CLOSED' }
  | { readonly at: 'DRAINING'; readonly initiated: boolean };

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #decoder: RecordDecoder;
  readonly #heartbeat = new Heartbeat();
  readonly #outbox: Outbox;
  readonly #writer: RecordWriter;
  readonly #clocks: Clocks;
  readonly #whenClosed: (() => void)[] = [];
  #state: State;
  #hasReceivedGoaway = false;
  #record: Buffer | undefined;

  /** Takes the socket over. A server says how much of the handshake's time is left for CONFIRM. */
  constructor(options: ConnectionOptions, confirmTimeoutMs = options.limits.handshakeTimeoutMs) {
    const { role, socket, streams, codec, limits } = options;
    this.#options = options;
    this.#outbox = new Outbox(streams, this.#heartbeat);
    this.#writer = new RecordWriter({
      socket,
      streams,
      limits,
      serializer: codec.serializer,
      outbox: this.#outbox,
      flushed: () => this.#finishDrain(),
      failed: (error) => this.destroy(error),
    });
    this.#clocks = this.#createClocks();
    this.#decoder = new RecordDecoder(role === 'server' ? { firstBodyBytes: MIN_BODY_BYTES } : {});
    this.#state = { at: role === 'server' ? 'WAIT_CONFIRM' : 'OPEN' };
    this.#listen();
    if (role === 'server') this.#clocks.waitForConfirm(confirmTimeoutMs);
    else this.#confirm();
  }

  /** Whether new streams may be opened on it. */
  get isOpen(): boolean {
    return this.#state.at === 'OPEN';
  }

  get socket(): Socket {
    return this.#options.socket;
  }

  /** E ‖ T of the record whose frames are being delivered; undefined outside of that. */
  get currentRecord(): Buffer | undefined {
    return this.#record;
  }

  /** To be called when a stream has something to send. */
  scheduleFlush(): void {
    this.#writer.schedule();
  }

  /**
   * GOAWAY, then what is running finishes, then CLOSE; cut short by the drain deadline. May be called again.
   * @returns When the connection is gone. Never rejects.
   */
  close(): Promise<void> {
    const { at } = this.#state;
    if (at === 'CLOSED') return Promise.resolve();
    const closed = new Promise<void>((resolve) => this.#whenClosed.push(resolve));
    if (at === 'WAIT_CONFIRM') this.destroy(new TransportError('ERR_CONNECTION_CLOSED', 'Closed before it was open'));
    if (at === 'OPEN' || at === 'DRAINING') this.#drain(true);
    return closed;
  }

  /** Ends the connection at once. The first error is final. */
  destroy(error: TransportError): void {
    this.#finish(error);
  }

  #listen(): void {
    const { socket } = this.#options;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.#receiveFin());
    socket.on('error', (cause) => this.destroy(new TransportError('ERR_CONNECTION_LOST', cause.message, { cause })));
    socket.on('close', () => this.#receiveSocketClose());
  }

  #createClocks(): Clocks {
    return new Clocks(this.#options.limits, this.#heartbeat, {
      sendPing: (token) => {
        this.#outbox.push({ type: 'PING', token });
        this.#writer.flush();
      },
      retire: () => void this.close(),
      drainExpired: () => this.#sendClose(),
      closeExpired: () => this.#finish(undefined),
      failed: (error) => this.destroy(error),
      stalestProgressMs: () => this.#options.streams.stalestProgressMs,
    });
  }

  #confirm(): void {
    this.#clocks.opened();
    this.#outbox.push({ type: 'CONFIRM' });
    this.#writer.flush();
  }

  #receive(chunk: Buffer): void {
    try {
      for (const body of this.#decoder.push(chunk)) {
        this.#clocks.recordCompleted();
        this.#receiveRecord(body);
        if (this.#isClosed()) return;
      }
    } catch (error) {
      this.destroy(toTransportError(error));
      return;
    }
    if (this.#decoder.isPartial) this.#clocks.recordIsPartial();
    if (this.#options.streams.hasIncomplete) this.#clocks.messageIsIncomplete();
    if (this.#options.streams.readyCount > 0) this.#writer.schedule(); // an answer has made room for what was queued
    this.#finishDrain();
  }

  #receiveRecord(body: Buffer): void {
    const { at } = this.#state;
    if (at === 'ENDED' || at === 'CLOSED') throw unexpected('A record after CLOSE');
    const content = this.#options.codec.deserializer.deserialize(body);
    if (at === 'WAIT_CONFIRM') {
      this.#receiveConfirm(content);
      return;
    }
    this.#record = body;
    this.#receiveContent(content);
    this.#record = undefined;
  }

  #receiveConfirm({ type }: RecordContent): void {
    if (type !== 'CONFIRM') throw unexpected(`${type} as the first record`);
    this.#state = { at: 'OPEN' };
    this.#clocks.opened();
    this.#options.events.opened?.();
  }

  #receiveContent(content: RecordContent): void {
    switch (content.type) {
      case 'DATA':
        this.#receiveFrames(content.frames);
        return;
      case 'PING':
        this.#receivePing(content.token);
        return;
      case 'PONG':
        this.#heartbeat.receivePong(content.token);
        this.#clocks.pongReceived();
        return;
      case 'GOAWAY':
        this.#receiveGoaway();
        return;
      case 'CLOSE':
        this.#receiveClose(content.reason);
        return;
      case 'KEY_UPDATE': // the codec has changed its key
        return;
      case 'CONFIRM':
        throw unexpected('A second CONFIRM');
    }
  }

  #receiveFrames(frames: Buffer): void {
    const nowMs = performance.now();
    for (const frame of decodeFrames(frames)) {
      this.#options.streams.receive(frame, nowMs);
      if (this.#isClosed()) return; // a handler has destroyed it
    }
  }

  #receivePing(token: Buffer): void {
    if (this.#state.at === 'CLOSING') return; // nothing is sent after CLOSE
    this.#heartbeat.receivePing(token);
    this.#writer.schedule();
  }

  #receiveGoaway(): void {
    if (this.#hasReceivedGoaway) throw unexpected('A second GOAWAY');
    this.#hasReceivedGoaway = true;
    this.#options.streams.stopOpening();
    if (this.#state.at === 'OPEN') this.#drain(false);
    this.#options.events.goingAway?.();
  }

  #receiveClose(reason: CloseReason): void {
    const { streams, socket } = this.#options;
    this.#state = { at: 'ENDED' };
    this.#clocks.closing();
    streams.end(new TransportError('ERR_CONNECTION_CLOSED', `The peer closed the connection (${reason})`));
    this.#outbox.pushClose(reason);
    this.#writer.flush();
    socket.end();
  }

  #receiveFin(): void {
    switch (this.#state.at) {
      case 'ENDED':
        return;
      case 'CLOSING':
        this.#finish(undefined);
        return;
      case 'WAIT_CONFIRM':
      case 'OPEN':
      case 'DRAINING':
      case 'CLOSED':
        this.destroy(new TransportError('ERR_TRUNCATED', 'The stream ended without CLOSE'));
        return;
    }
  }

  #receiveSocketClose(): void {
    const agreed = this.#state.at === 'ENDED';
    this.#finish(agreed ? undefined : new TransportError('ERR_CONNECTION_LOST', 'The connection was lost'));
  }

  #drain(initiated: boolean): void {
    this.#state = { at: 'DRAINING', initiated };
    this.#outbox.pushGoaway();
    this.#clocks.draining();
    this.#writer.schedule();
  }

  /** Who began to drain closes, once both sides know that no stream is left. */
  #finishDrain(): void {
    if (this.#state.at !== 'DRAINING' || !this.#state.initiated) return;
    if (this.#hasReceivedGoaway && this.#outbox.hasSentGoaway && this.#options.streams.isIdle) this.#sendClose();
  }

  #sendClose(): void {
    const { role, streams } = this.#options;
    this.#state = { at: 'CLOSING' };
    streams.stopSending();
    this.#clocks.closing();
    this.#outbox.pushClose(role === 'client' ? 'done' : 'goingAway');
    this.#writer.flush();
  }

  #isClosed(): boolean {
    return this.#state.at === 'CLOSED';
  }

  #finish(error: TransportError | undefined): void {
    if (this.#isClosed()) return;
    const { socket, streams, events } = this.#options;
    this.#state = { at: 'CLOSED' };
    this.#clocks.stop();
    this.#writer.stop();
    socket.destroy();
    streams.end(error ?? new TransportError('ERR_CONNECTION_CLOSED', 'The connection was closed'));
    events.closed(error);
    for (const resolve of this.#whenClosed) resolve();
  }
}

function unexpected(what: string): TransportError {
  return new TransportError('ERR_RECORD_UNEXPECTED', what);
}
