import { Inject, Injectable, Logger } from '@nestjs/common';
import { printable } from '@sealwire/app';

import { settings } from '../config/registration.js';
import type { Settings } from '../config/settings.js';

const SHOWN_BYTES = 64;

/** Logs messages, encrypted and decrypted. LOG_MESSAGES=false replaces the decrypted text with its size. */
@Injectable()
export class MessageLog {
  readonly #logger = new Logger('Messages');
  readonly #showsText: boolean;

  constructor(@Inject(settings.KEY) { logMessages }: Pick<Settings, 'logMessages'>) {
    this.#showsText = logMessages;
  }

  /** @param record - The record as received; undefined if the message was not encrypted. */
  sealed(record: Uint8Array | undefined): void {
    if (record !== undefined) this.#logger.log(`Received, encrypted (${record.length} bytes): ${hexOf(record)}`);
  }

  /** @param ciphertext - The ciphertext as received. @param address - The address of the sender. */
  legacy(ciphertext: Uint8Array, address = 'an unknown address'): void {
    const shown = `${ciphertext.length} bytes): ${hexOf(ciphertext)}`;
    this.#logger.warn(`Received on the legacy wire from ${address}, encrypted (${shown}`);
  }

  text(text: string, what = 'Decrypted'): void {
    this.#logger.log(`${what}: ${this.#showsText ? printable(text) : `${Buffer.byteLength(text)} bytes of text`}`);
  }
}

function hexOf(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.subarray(0, SHOWN_BYTES)).toString('hex');
  return bytes.length > SHOWN_BYTES ? `${shown}…` : shown;
}
