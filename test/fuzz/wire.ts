import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

const HIGH_WATER_BYTES = 16_384;

/**
 * One end of a connection without a network: what it writes lies here until it is delivered, in pieces of any size, so
 * that a script decides on every interleaving. It does as a `net.Socket` does, as far as a connection looks.
 */
export class WireEnd extends EventEmitter {
  /** Set for both ends by {@link wire}. */
  peer: WireEnd | undefined;
  destroyed = false;
  readonly remoteAddress = undefined;
  readonly #written: { bytes: Buffer; readonly taken: (() => void) | undefined }[] = [];
  #isEnded = false;
  #hasDeliveredEnd = false;
  writableLength = 0;
  writableNeedDrain = false;

  get socket(): Socket {
    return this as unknown as Socket;
  }

  write(bytes: Buffer, taken?: () => void): boolean {
    if (this.destroyed || this.#isEnded) return false;
    this.#written.push({ bytes, taken });
    this.writableLength += bytes.length;
    this.writableNeedDrain ||= this.writableLength >= HIGH_WATER_BYTES;
    return !this.writableNeedDrain;
  }

  end(bytes?: Buffer, ended?: () => void): this {
    if (bytes !== undefined) this.write(bytes);
    this.#isEnded = true;
    if (ended !== undefined) setImmediate(ended);
    return this;
  }

  /** The written bytes are still in transit. */
  destroy(): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.#isEnded = true;
    setImmediate(() => this.emit('close'));
    return this;
  }

  /** Brings up to `most` bytes to the other end, in one piece, and the end of the stream behind the last of them. */
  deliver(most: number): void {
    const bytes = this.#take(most);
    if (bytes.length > 0 && this.peer?.destroyed === false) this.peer.emit('data', bytes);
    this.#drain();
    if (this.#isEnded && this.writableLength === 0) this.#deliverEnd();
  }

  /** Takes what was written instead of the other end. */
  take(): Buffer {
    return this.#take(Infinity);
  }

  /** The same of `most` bytes; when it was all, the socket takes more, as after {@link deliver}. */
  takeUpTo(most: number): Buffer {
    const bytes = this.#take(most);
    this.#drain();
    return bytes;
  }

  /** Bytes from elsewhere in the name of the other end. */
  receive(bytes: Buffer): void {
    if (!this.destroyed && bytes.length > 0) this.emit('data', bytes);
  }

  #take(most: number): Buffer {
    const parts: Buffer[] = [];
    let left = most;
    for (let next = this.#written[0]; next !== undefined && left > 0; next = this.#written[0]) {
      const part = next.bytes.subarray(0, left);
      parts.push(part);
      left -= part.length;
      this.writableLength -= part.length;
      next.bytes = next.bytes.subarray(part.length);
      if (next.bytes.length > 0) break;
      this.#written.shift();
      if (!this.destroyed) next.taken?.();
    }
    return Buffer.concat(parts);
  }

  #drain(): void {
    if (this.writableLength > 0 || !this.writableNeedDrain) return;
    this.writableNeedDrain = false;
    if (!this.destroyed) this.emit('drain');
  }

  #deliverEnd(): void {
    if (this.#hasDeliveredEnd) return;
    this.#hasDeliveredEnd = true;
    const { peer } = this;
    if (peer === undefined) return;
    if (!peer.destroyed) peer.emit('end');
    if (!peer.#hasDeliveredEnd) return;
    peer.destroy();
    this.destroy();
  }
}

/** Two ends of one connection. */
export function wire(): readonly [WireEnd, WireEnd] {
  const ends = [new WireEnd(), new WireEnd()] as const;
  ends[0].peer = ends[1];
  ends[1].peer = ends[0];
  return ends;
}

/** Lets everything run that was put off to the next turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
