import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import type { FaultKind, Incident, PathPlan } from './fault-plan.js';
import { resetSocket } from './reset-socket.js';

export interface PathHost {
  /** Ends every pause. */
  readonly signal: AbortSignal;
  readonly note: (kind: FaultKind) => void;
}

/** One direction of a proxied connection: passes the bytes on in their order, and carries out its plan. */
export class FaultPath {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #plan: PathPlan;
  readonly #host: PathHost;
  /** The steps so far: each begins after the one before. */
  #steps: Promise<void> = Promise.resolve();
  #offset = 0;
  #incident: Incident | undefined;
  #isHolding = false;
  #discards = false;

  constructor(from: Socket, to: Socket, plan: PathPlan, host: PathHost) {
    this.#from = from;
    this.#to = to;
    this.#plan = plan;
    this.#host = host;
    this.#incident = plan.incident;
    if (plan.delayMs > 0) host.note('delay');
    if (plan.pieceBytes < Infinity) host.note('split');
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => {
      if (!this.#isHolding) from.pause();
      this.#then(() => this.#pass(chunk));
    });
    from.on('end', () => this.#then(() => void to.end()));
    // A reset is passed on as a reset.
    from.on('error', () => this.#then(() => resetSocket(to)));
    from.on('close', () => this.#then(() => to.destroySoon()));
  }

  /** Passes nothing on for a time. The sender has to wait. */
  stall(ms: number): void {
    this.#host.note('stall');
    this.#then(() => this.#pause(ms));
  }

  #then(step: () => void | Promise<void>): void {
    this.#steps = this.#steps.then(() => (this.#host.signal.aborted ? undefined : step())).catch(() => undefined);
  }

  async #pass(chunk: Buffer): Promise<void> {
    const { delayMs, pieceBytes } = this.#plan;
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + Math.min(pieceBytes, chunk.length));
      at += piece.length;
      if (delayMs > 0) await this.#pause(delayMs);
      await this.#forward(piece);
    }
    this.#from.resume();
  }

  async #forward(piece: Buffer): Promise<void> {
    const start = this.#offset;
    this.#offset += piece.length;
    const incident = this.#incident;
    if (incident === undefined || incident.atByte >= this.#offset) return this.#write(piece);
    this.#incident = undefined;
    this.#host.note(incident.kind);
    const at = Math.max(0, incident.atByte - start);
    if (incident.kind === 'corrupt') return this.#write(flipped(piece, at, incident.bit));
    await this.#write(piece.subarray(0, at));
    await this.#suffer(incident);
    return this.#write(piece.subarray(at));
  }

  async #suffer(incident: Exclude<Incident, { kind: 'corrupt' }>): Promise<void> {
    switch (incident.kind) {
      case 'stall':
        return this.#pause(incident.ms);
      case 'holdBack':
        this.#isHolding = true;
        this.#from.resume();
        await this.#pause(incident.ms);
        this.#isHolding = false;
        return;
      case 'abandon':
        this.#from.destroy();
        return this.#pause(incident.ms);
      case 'halfClose':
        this.#to.end();
        this.#discards = true;
        return;
      case 'cut':
        this.#from.destroy();
        this.#to.destroy();
        return;
      case 'reset':
        resetSocket(this.#from);
        resetSocket(this.#to);
        return;
    }
  }

  /** Resolves when the system has taken the bytes, so that each write is a segment of its own. */
  async #write(bytes: Buffer): Promise<void> {
    if (bytes.length === 0 || this.#discards || !this.#to.writable) return;
    await new Promise<void>((resolve) => this.#to.write(bytes, () => resolve()));
  }

  #pause(ms: number): Promise<void> {
    return delay(ms, undefined, { signal: this.#host.signal });
  }
}

function flipped(bytes: Buffer, at: number, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ (1 << bit), at);
  return copy;
}
