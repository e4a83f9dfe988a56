// PING and PONG of one connection (docs/protocol.md §5.6), and the round trip that they measure.
import { equalBytes } from '@sealwire/crypto';
import { randomBytes } from '@sealwire/crypto/internal';

import { clock } from '../clock.js';
import { TransportError } from '../errors.js';
import { PING_TOKEN_BYTES } from '../record/content.js';

interface SentPing {
  readonly token: Buffer;
  readonly atMs: number;
}

interface Waiter {
  readonly resolve: (roundTripMs: number) => void;
  readonly reject: (error: TransportError) => void;
}

/** At most one PING of this side is unanswered, and at most one of the peer's is owed a PONG. */
export class Heartbeat {
  #sent: SentPing | undefined;
  #owed: Buffer | undefined;
  #roundTripMs: number | undefined;
  #waiting: Waiter[] | undefined;

  get isUnanswered(): boolean {
    return this.#sent !== undefined;
  }

  /** Whether a PONG is owed. */
  get owes(): boolean {
    return this.#owed !== undefined;
  }

  /** From the last answered PING to its PONG; undefined before the first. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** The token of the PING to send now. */
  beginPing(): Buffer {
    this.#sent = { token: randomBytes(PING_TOKEN_BYTES), atMs: clock.nowMs() };
    return this.#sent.token;
  }

  /** Resolves with the round trip of the PING that is unanswered or comes next. */
  nextRoundTrip(): Promise<number> {
    return new Promise((answered, failed) => {
      (this.#waiting ??= []).push({ resolve: answered, reject: failed });
    });
  }

  /** @throws {TransportError} `ERR_RECORD_UNEXPECTED` - the one before has not been answered yet. */
  receivePing(token: Buffer): void {
    if (this.#owed !== undefined)
      throw new TransportError('ERR_RECORD_UNEXPECTED', 'A second PING before the PONG to the first');
    this.#owed = Buffer.from(token); // the token is a view of its record
  }

  /** The token of the PONG that is owed, once. */
  takeOwed(): Buffer | undefined {
    const token = this.#owed;
    this.#owed = undefined;
    return token;
  }

  /** @throws {TransportError} `ERR_RECORD_UNEXPECTED` - not the token that was sent, or none was. */
  receivePong(token: Buffer): void {
    if (this.#sent === undefined || !equalBytes(this.#sent.token, token)) {
      throw new TransportError('ERR_RECORD_UNEXPECTED', 'A PONG that nobody asked for');
    }
    const roundTripMs = clock.nowMs() - this.#sent.atMs;
    this.#sent = undefined;
    this.#roundTripMs = roundTripMs;
    for (const { resolve: answered } of this.#takeWaiting()) answered(roundTripMs);
  }

  /** The connection is over. */
  end(reason: () => TransportError): void {
    for (const { reject: failed } of this.#takeWaiting()) failed(reason());
  }

  #takeWaiting(): readonly Waiter[] {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    return waiting;
  }
}
