// A secure connection from CONFIRM on (docs/protocol.md §5). It owns the socket and the timers.
import type { Socket } from 'node:net';

import { toTransportError, TransportError } from '../errors.js';
import { once } from '../once.js';
import type { CloseReason, ControlContent } from '../record/content.js';
import type { FrameWriter } from '../sending/sending.js';
import { ownSocket } from '../socket/socket-reader.js';
import type { SocketOwner } from '../socket/socket-reader.js';
import { Clocks, softAgeMs } from './clocks.js';
import type { ClockOwner } from './clocks.js';
import { closedByPeer, closedHere, lost } from './closed-by-peer.js';
import type { ConnectionOptions } from './connection-options.js';
import { DRAINING, OPEN, RecordCounters } from './connection-state.js';
import type { State } from './connection-state.js';
import { RecordLayer } from './record-layer.js';
import type { RecordLayerOwner } from './record-layer.js';

export class Connection implements ClockOwner, FrameWriter, RecordLayerOwner, SocketOwner {
  readonly #options: ConnectionOptions;
  readonly #kept = new RecordCounters();
  readonly #clocks: Clocks;
  /** While the connection is in use. */
  #records: RecordLayer | undefined;
  #whenClosed: (() => void)[] | undefined;
  #state: State = OPEN;

  /** Takes ownership of the socket. */
  constructor(options: ConnectionOptions) {
    const { role, socket, limits, codec } = options;
    this.#options = options;
    this.#clocks = new Clocks(limits, this.#kept.heartbeat, codec, softAgeMs(role, limits), this);
    options.streams.setWriter(this);
    ownSocket(socket, this);
    this.#clocks.opened();
    if (options.role === 'client') this.send({ type: 'CONFIRM', body: options.confirm });
  }

  /** Whether the connection takes new streams. */
  get isOpen(): boolean {
    return this.#state.at === 'OPEN';
  }

  get socket(): Socket {
    return this.#options.socket;
  }

  /** The round trip of the last answered PING; undefined before the first. */
  get roundTripMs(): number | undefined {
    return this.#kept.heartbeat.roundTripMs;
  }

  /**
   * Sends a PING and resolves to the round trip in milliseconds. `timeouts.pongMs` ends the wait. Rejects with
   * `ERR_NOT_CONNECTED`, or with the error that ends the connection before the PONG.
   */
  ping(): Promise<number> {
    if (!this.isOpen) return Promise.reject(new TransportError('ERR_NOT_CONNECTED', 'The connection is not open'));
    const roundTrip = this.#kept.heartbeat.nextRoundTrip();
    this.#clocks.ping();
    return roundTrip;
  }

  /**
   * Sends GOAWAY, waits at most `drainMs` for open streams, then sends CLOSE. May be called again.
   * @returns Resolves when the connection has ended. Never rejects.
   */
  close(drainMs = this.#options.limits.drainMs): Promise<void> {
    if (this.#state.at === 'CLOSED') return Promise.resolve();
    const closed = new Promise<void>((resolve) => (this.#whenClosed ??= []).push(resolve));
    if (this.isOpen || this.#state.at === 'DRAINING') {
      this.#clocks.draining(drainMs);
      this.#drain();
    }
    return closed;
  }

  /** Whether CLOSE has left the process and nothing else is to be done: a caller need not wait for {@link close}. */
  get hasSaidAll(): boolean {
    return this.#state.at === 'CLOSING' && this.#options.streams.isIdle && this.socket.writableLength === 0;
  }

  /** Closes without a deadline, so that no stream is cut, because another connection replaces this one. */
  retire(): void {
    if (this.isOpen) this.#drain();
  }

  /** Retires, and fails the streams that were not sealed, so that they move to another server. Also while it drains. */
  vacate(): void {
    if (!this.isOpen && this.#state.at !== 'DRAINING') return;
    this.#leaveOpen(this.isOpen ? DRAINING : this.#state, () => this.#options.streams.stopOpening());
    this.#sayGoaway();
  }

  /** Sends CLOSE before anything is served, because this side has reached `maxConnections`. */
  turnAway(): void {
    if (this.isOpen) this.#sendClose('limit');
  }

  /** Receives bytes of the socket, also those that arrived before the connection owned it. @param chunk - Not kept. */
  receive(chunk: Buffer): void {
    try {
      this.#layer.receive(chunk);
    } catch (error) {
      return this.destroy(toTransportError(error));
    }
    this.finishDrain();
  }

  /**
   * Ends the connection immediately. The first error is final. @param error - Undefined if both sides agreed to close.
   */
  destroy(error: TransportError | undefined): void {
    if (this.#state.at === 'CLOSED') return;
    const { socket, streams, codec, events } = this.#options;
    const reason = error === undefined ? closedHere : () => error;
    const wasOpen = this.isOpen;
    this.#state = { at: 'CLOSED' };
    if (wasOpen) events.onLost?.(error);
    this.#clocks.stop();
    this.#records?.stop();
    codec.serializer.wipe();
    codec.deserializer.wipe();
    socket.destroy();
    this.#kept.heartbeat.end(reason);
    streams.end(reason, this.#kept.lastRead);
    events.onClosed(error);
    for (const resolve of this.#whenClosed ?? []) resolve();
  }

  // Called by its socket, its clocks and its record layer.

  receiveFin(): void {
    const { at } = this.#state;
    if (at === 'CLOSING') this.destroy(undefined);
    else if (at !== 'ENDED') this.destroy(new TransportError('ERR_TRUNCATED', 'The connection ended without CLOSE'));
  }

  /** After the CLOSE of the peer, whose process may have ended since, only the answer to that CLOSE is lost. */
  onSocketLost(cause?: Error): void {
    this.destroy(this.#state.at === 'ENDED' ? undefined : lost(cause));
  }

  get stalestProgressMs(): number | undefined {
    return this.#options.streams.stalestProgressMs;
  }

  get creditOwedSinceMs(): number | undefined {
    return this.#records?.creditOwedSinceMs;
  }

  send(content: ControlContent): void {
    this.#layer.send(content);
  }

  flush(): void {
    this.#layer.flush();
  }

  schedule(isPaced: boolean): void {
    if (this.#state.at !== 'CLOSED') this.#layer.schedule(isPaced);
  }

  /** Frees the memory of an idle connection. The next byte or call creates it again. */
  hibernate(): void {
    const { streams } = this.#options;
    streams.hibernate();
    if (!this.isOpen || !streams.isIdle || this.#records?.isIdle !== true) return;
    this.#records.stop();
    this.#records = undefined;
  }

  age(): void {
    const { events } = this.#options;
    if (events.onAged === undefined) this.retire();
    else events.onAged();
  }

  /** Ends the drain. A server first answers every open stream, and closes when the answers are sealed or time out. */
  expireDrain(): void {
    const { role, streams, limits } = this.#options;
    if (role === 'client' || (this.#state.at === 'DRAINING' && this.#state.isCutOff)) return this.#sendClose();
    streams.shutDown(); // its first answers may be written before the last one is queued
    if (this.#state.at !== 'DRAINING') return;
    this.#state = { ...this.#state, isCutOff: true };
    this.#clocks.draining(limits.closeMs);
    this.flush();
  }

  receiveGoaway(): void {
    const wasOpen = this.isOpen;
    const next = wasOpen ? { ...DRAINING, initiated: false } : this.#state;
    this.#leaveOpen(next, () => this.#options.streams.stopOpening());
    if (wasOpen) this.#sayGoaway();
  }

  receiveClose(reason: CloseReason): void {
    const { streams, socket } = this.#options;
    const { isFirst } = this.#layer;
    const failure = this.#state.at === 'CLOSING' ? closedHere : () => closedByPeer(reason, isFirst);
    this.#leaveOpen({ at: 'ENDED' }, () => {
      this.#clocks.closing();
      this.#kept.heartbeat.end(failure);
      streams.end(failure, this.#kept.lastRead);
    });
    this.#layer.sendClose(reason);
    socket.end();
  }

  get #layer(): RecordLayer {
    return (this.#records ??= new RecordLayer(this.#options, this.#kept, this.#clocks, this));
  }

  #drain(): void {
    this.#leaveOpen(this.#state.at === 'DRAINING' ? { ...this.#state, initiated: true } : DRAINING);
    this.#sayGoaway();
  }

  #sayGoaway(): void {
    this.#options.streams.stopTaking();
    this.#layer.sendGoaway();
    this.finishDrain();
  }

  /** Leaves the state OPEN: the next call needs another connection. @param move - See `onGoingAway`. */
  #leaveOpen(state: State, move?: () => void): void {
    const wasOpen = this.isOpen;
    this.#state = state;
    const moveOnce = once(move);
    if (wasOpen) this.#options.events.onGoingAway?.(moveOnce);
    moveOnce();
  }

  /** Sends CLOSE if this side drains and no stream is or will be open, or if the drain was cut and all was sent. */
  finishDrain(): void {
    if (this.#state.at !== 'DRAINING') return;
    const { role, streams } = this.#options;
    const { initiated, isCutOff } = this.#state;
    const isCut = isCutOff && streams.sending.readyCount === 0;
    if (isCut || (initiated && streams.isIdle && this.#layer.noStreamCanOpen(role))) this.#sendClose();
  }

  #sendClose(reason: CloseReason = this.#options.role === 'client' ? 'done' : 'goingAway'): void {
    this.#state = { at: 'CLOSING' };
    this.#options.streams.stopSending();
    this.#clocks.closing();
    this.#layer.sendClose(reason);
  }
}
