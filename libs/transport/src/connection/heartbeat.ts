// PING and PONG (docs/protocol.md §5.6): a path that does not answer, or holds records back, is a dead one.
import { randomBytes } from 'node:crypto';

import { TransportError } from '../errors.js';
import { PING_TOKEN_BYTES } from '../record/content.js';

/** At most one PING of either side is unanswered at any time; no clock and no socket here. */
export class Heartbeat {
  #sent: Buffer | undefined;
  #owed: Buffer | undefined;

  get isUnanswered(): boolean {
    return this.#sent !== undefined;
  }

  /** The token of the PING to send now. */
  beginPing(): Buffer {
    this.#sent = randomBytes(PING_TOKEN_BYTES);
    return this.#sent;
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
    if (this.#sent === undefined || !this.#sent.equals(token)) {
      throw new TransportError('ERR_RECORD_UNEXPECTED', 'A PONG that nobody asked for');
    }
    this.#sent = undefined;
  }
}
