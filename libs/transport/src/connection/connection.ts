// One secure connection from CONFIRM on (docs/protocol.md §5): the only owner of its socket and timers.
//
//   OPEN → DRAINING (GOAWAY) → CLOSING (CLOSE sent) → ENDED (CLOSE received) → CLOSED
import type { Socket } from 'node:net';

import { toTransportError, TransportError } from '../errors.js';
import type { CloseReason, ControlContent, RecordContent } from '../record/content.js';
import { SendWindow } from '../record/send-window.js';
import { TakenBytes } from '../record/taken-bytes.js';
import { Clocks, softAgeMs } from './clocks.js';
import { closedByPeer, closedHere } from './closed-by-peer.js';
import type { ConnectionOptions } from './connection-options.js';
import { Heartbeat } from './heartbeat.js';
import { Outbox } from './outbox.js';
import { RecordReader } from './record-reader.js';
import { RecordWriter } from './record-writer.js';
import { receiveFrom } from './socket-reader.js';

type State =
  | { readonly at: 'OPEN' | 'CLOSING' | 'ENDED' | 'CLOSED' }
  /** `initiated`: this side sends CLOSE as soon as nothing is open. */
  | { readonly at: 'DRAINING'; readonly initiated: boolean };

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #heartbeat = new Heartbeat();
  readonly #taken = new TakenBytes();
  readonly #window = new SendWindow();
  readonly #outbox: Outbox;
  readonly #writer: RecordWriter;
  readonly #clocks: Clocks;
  readonly #reader: RecordReader;
  readonly #whenClosed: (() => void)[] = [];
  #state: State = { at: 'OPEN' };
  #hasReceivedGoaway = false;
  /** The drain is over, and what was open has been answered. */
  #isCutOff = false;

  /** Takes the socket over. */
  constructor(options: ConnectionOptions) {
    const { socket, streams, codec, limits } = options;
    this.#options = options;
    this.#outbox = new Outbox({ streams, heartbeat: this.#heartbeat, taken: this.#taken, window: this.#window });
    this.#writer = new RecordWriter({
      socket,
      streams,
      limits,
      serializer: codec.serializer,
      outbox: this.#outbox,
      flushed: () => this.#noteFlushed(),
      failed: (error) => this.destroy(error),
    });
    this.#clocks = this.#createClocks();
    this.#reader = new RecordReader({
      streams,
      deserializer: codec.deserializer,
      clocks: this.#clocks,
      taken: this.#taken,
      admit: () => this.#admitRecord(),
      receive: (content, body) => this.#receiveContent(content, body),
    });
    streams.setWriter(this.#writer);
    this.#listen(options);
    this.#clocks.opened();
    if (options.role === 'client') this.#send({ type: 'CONFIRM', body: options.confirm });
  }

  /** Whether new streams may be opened on it. */
  get isOpen(): boolean {
    return this.#state.at === 'OPEN';
  }

  get socket(): Socket {
    return this.#options.socket;
  }

  /** From the last answered PING to its PONG; undefined before the first. */
  get roundTripMs(): number | undefined {
    return this.#heartbeat.roundTripMs;
  }

  /**
   * Asks the peer for a sign of life, which tells the round trip in milliseconds. `pongTimeoutMs` ends the wait.
   * Rejects with `ERR_NOT_CONNECTED`, or with what ends the connection before the answer.
   */
  ping(): Promise<number> {
    if (!this.isOpen) return Promise.reject(new TransportError('ERR_NOT_CONNECTED', 'The connection is not open'));
    const roundTrip = this.#heartbeat.nextRoundTrip();
    this.#clocks.ping();
    return roundTrip;
  }

  /**
   * GOAWAY, then what is running finishes, then CLOSE; cut short by the drain deadline. May be called again.
   * @param drainMs - What is left of the drain.
   * @returns When the connection is gone. Never rejects.
   */
  close(drainMs = this.#options.limits.drainTimeoutMs): Promise<void> {
    if (this.#state.at === 'CLOSED') return Promise.resolve();
    const closed = new Promise<void>((resolve) => this.#whenClosed.push(resolve));
    if (this.isOpen || this.#state.at === 'DRAINING') {
      this.#clocks.draining(drainMs);
      this.#drain(true);
    }
    return closed;
  }

  /** Whether the system has CLOSE and nothing else is left to do here: a caller need not wait for the rest of {@link close}. */
  get hasSaidAll(): boolean {
    return this.#state.at === 'CLOSING' && this.#options.streams.isIdle && this.socket.writableLength === 0;
  }

  /** As {@link close} without a deadline: another connection takes the place of this one, and no stream is cut. */
  retire(): void {
    if (this.isOpen) this.#drain(true);
  }

  /** CLOSE before anything is served: this side has as many connections as it takes. */
  turnAway(): void {
    if (this.isOpen) this.#sendClose('limit');
  }

  /** For what has arrived already when the connection takes the socket over; valid until the call returns. */
  receive(chunk: Buffer): void {
    try {
      this.#reader.push(chunk);
      if (this.#state.at === 'ENDED' && this.#reader.isPartial) throw unexpected('Bytes after CLOSE');
    } catch (error) {
      this.destroy(toTransportError(error));
      return;
    }
    // An answer has made room for what was queued, or CREDIT has, or it is due.
    if (this.#options.streams.sending.readyCount > 0 || this.#taken.isDue) this.#writer.schedule(true);
    this.#finishDrain();
  }

  /** Ends the connection at once. The first error is final. */
  destroy(error: TransportError): void {
    this.#finish(error);
  }

  #listen({ socket }: ConnectionOptions): void {
    receiveFrom(socket, (chunk) => this.receive(chunk));
    socket.on('end', () => this.#receiveFin());
    socket.on('error', (cause) => this.destroy(new TransportError('ERR_CONNECTION_LOST', cause.message, { cause })));
    socket.on('close', () => this.#finish(this.#state.at === 'ENDED' ? undefined : lost()));
  }

  #createClocks(): Clocks {
    const { role, limits, codec, streams, events } = this.#options;
    return new Clocks(limits, this.#heartbeat, codec, softAgeMs(role, limits), {
      send: (content) => this.#send(content),
      flush: () => this.#writer.flush(),
      rest: () => streams.sending.rest(),
      aged: events.aged ?? (() => this.retire()),
      drainExpired: () => this.#expireDrain(),
      closeExpired: () => this.#finish(undefined),
      failed: (error) => this.destroy(error),
      stalestProgressMs: () => this.#options.streams.stalestProgressMs,
      creditOwedSinceMs: () => (this.#state.at === 'CLOSING' ? undefined : this.#window.fullSinceMs),
    });
  }

  #send(content: ControlContent): void {
    this.#outbox.push(content);
    this.#writer.flush();
  }

  #noteFlushed(): void {
    if (this.#window.fullSinceMs !== undefined) this.#clocks.creditIsOwed();
    this.#finishDrain();
  }

  #admitRecord(): void {
    if (this.#state.at === 'ENDED' || this.#state.at === 'CLOSED') throw unexpected('A record after CLOSE');
  }

  #receiveContent(content: RecordContent, body: Buffer): void {
    switch (content.type) {
      case 'DATA':
        this.#reader.receiveFrames(content.frames, body);
        return;
      case 'PING':
        if (this.#state.at === 'CLOSING') return; // nothing is sent after CLOSE
        this.#heartbeat.receivePing(content.token);
        this.#writer.schedule();
        return;
      case 'PONG':
        this.#heartbeat.receivePong(content.token);
        this.#clocks.pongReceived();
        return;
      case 'CREDIT':
        if (this.#state.at !== 'CLOSING') this.#outbox.receiveCredit(content.taken); // nothing is sent after CLOSE
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

  #receiveGoaway(): void {
    if (this.#hasReceivedGoaway) throw unexpected('A second GOAWAY');
    this.#hasReceivedGoaway = true;
    this.#options.streams.stopOpening();
    if (this.#state.at === 'OPEN') this.#drain(false);
  }

  #receiveClose(reason: CloseReason): void {
    const { streams, socket } = this.#options;
    const failure = this.#state.at === 'CLOSING' ? closedHere : () => closedByPeer(reason, this.#reader.isFirst);
    this.#leaveOpen({ at: 'ENDED' });
    this.#clocks.closing();
    this.#heartbeat.end(failure);
    streams.end(failure);
    this.#outbox.pushClose(reason);
    this.#writer.flush();
    socket.end();
  }

  #receiveFin(): void {
    const { at } = this.#state;
    if (at === 'CLOSING') this.#finish(undefined);
    else if (at !== 'ENDED') this.destroy(new TransportError('ERR_TRUNCATED', 'The stream ended without CLOSE'));
  }

  #drain(initiated: boolean): void {
    this.#leaveOpen({ at: 'DRAINING', initiated });
    this.#options.streams.stopTaking();
    this.#outbox.pushGoaway();
    this.#writer.schedule();
    this.#finishDrain();
  }

  /** From here on the next call has to take another connection. */
  #leaveOpen(state: State, tell = this.#options.events.goingAway): void {
    const { at } = this.#state;
    this.#state = state;
    if (at === 'OPEN') tell?.();
  }

  /** Who began to drain closes, once both sides know that no stream is left. A client knows by itself: it opens them. */
  #finishDrain(): void {
    if (this.#state.at !== 'DRAINING') return;
    if (this.#isCutOff && this.#options.streams.sending.readyCount === 0) {
      this.#sendClose();
      return;
    }
    if (!this.#state.initiated || !this.#options.streams.isIdle) return;
    if (this.#hasReceivedGoaway ? this.#outbox.hasSentGoaway : this.#options.role === 'client') this.#sendClose();
  }

  #sendClose(reason: CloseReason = this.#options.role === 'client' ? 'done' : 'goingAway'): void {
    this.#state = { at: 'CLOSING' };
    this.#options.streams.stopSending();
    this.#clocks.closing();
    this.#outbox.pushClose(reason);
    this.#writer.flush();
  }

  /** A server that shuts down answers everybody who waits, and closes when that was sealed, or when its time is over too. */
  #expireDrain(): void {
    const { role, streams, limits } = this.#options;
    if (role === 'client' || this.#isCutOff) {
      this.#sendClose();
      return;
    }
    this.#isCutOff = true;
    streams.shutDown();
    this.#clocks.draining(limits.closeTimeoutMs);
    this.#writer.flush();
  }

  #finish(error: TransportError | undefined): void {
    if (this.#state.at === 'CLOSED') return;
    const { socket, streams, events } = this.#options;
    const reason = error === undefined ? closedHere : () => error;
    this.#leaveOpen({ at: 'CLOSED' }, () => events.lost?.(error));
    this.#clocks.stop();
    this.#writer.stop();
    this.#reader.stop();
    socket.destroy();
    this.#heartbeat.end(reason);
    streams.end(reason);
    events.closed(error);
    for (const resolve of this.#whenClosed) resolve();
  }
}

function lost(): TransportError {
  return new TransportError('ERR_CONNECTION_LOST', 'The connection was lost');
}

function unexpected(what: string): TransportError {
  return new TransportError('ERR_RECORD_UNEXPECTED', what);
}
