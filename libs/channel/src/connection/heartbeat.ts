// PING and PONG of one connection (docs/protocol.md §5.6), and the round trip between them.
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

/** At most one PING of this side is unanswered, and this side owes the peer at most one PONG. */
export class Heartbeat {
  #sent: SentPing | undefined;
  #owed: Buffer | undefined;
  #roundTripMs: number | undefined;
  #waiting: Waiter[] | undefined;

  get isUnanswered(): boolean {
    return this.#sent !== undefined;
  }

  /** Whether this side owes a PONG. */
  get owes(): boolean {
    return this.#owed !== undefined;
  }

  /** The round trip of the last answered PING; undefined before the first. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** Returns the token of a new PING. */
  beginPing(): Buffer {
    this.#sent = { token: randomBytes(PING_TOKEN_BYTES), atMs: clock.nowMs() };
    return this.#sent.token;
  }

  /** Resolves to the round trip of the unanswered PING, or of the next one. */
  nextRoundTrip(): Promise<number> {
    return new Promise((resolve, reject) => {
      (this.#waiting ??= []).push({ resolve, reject });
    });
  }

  /** @throws {TransportError} `ERR_RECORD_UNEXPECTED` - the previous PING has not been answered yet. */
  receivePing(token: Buffer): void {
    if (this.#owed !== undefined)
      throw new TransportError('ERR_RECORD_UNEXPECTED', 'Unexpected PING: the previous one has no PONG yet');
    this.#owed = Buffer.from(token); // the token is a view of its record
  }

  /** Returns the token of the owed PONG, once. */
  takeOwed(): Buffer | undefined {
    const token = this.#owed;
    this.#owed = undefined;
    return token;
  }

  /** @throws {TransportError} `ERR_RECORD_UNEXPECTED` - a wrong token, or no PING was sent. */
  receivePong(token: Buffer): void {
    if (this.#sent === undefined || !equalBytes(this.#sent.token, token)) {
      throw new TransportError('ERR_RECORD_UNEXPECTED', 'Unexpected PONG: it does not match the last PING');
    }
    const roundTripMs = clock.nowMs() - this.#sent.atMs;
    this.#sent = undefined;
    this.#roundTripMs = roundTripMs;
    for (const { resolve: answered } of this.#takeWaiting()) answered(roundTripMs);
  }

  /** Rejects all waiters when the connection has ended. */
  end(reason: () => TransportError): void {
    for (const { reject: failed } of this.#takeWaiting()) failed(reason());
  }

  #takeWaiting(): readonly Waiter[] {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    return waiting;
  }
}
