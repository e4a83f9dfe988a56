import { Inject, Injectable, Logger } from '@nestjs/common';
import { printable } from '@sealwire/app';

import { settings } from '../config/registration.js';
import type { Settings } from '../config/settings.js';

/** Logs the messages and receipts of `POST /messages`. LOG_MESSAGES=false replaces the text with its size. */
@Injectable()
export class TrafficLog {
  readonly #logger = new Logger('Trigger');
  readonly #showsText: boolean;

  constructor(@Inject(settings.KEY) { logMessages }: Pick<Settings, 'logMessages'>) {
    this.#showsText = logMessages;
  }

  sending(text: string): void {
    this.#logger.log(`Sending: ${this.#shown(text)}`);
  }

  receipt(receipt: unknown): void {
    this.#logger.log(`Receipt: ${this.#shown(receipt)}`);
  }

  #shown(value: unknown): string {
    const json = JSON.stringify(value) ?? 'nothing';
    return this.#showsText ? printable(json) : `${Buffer.byteLength(json)} bytes`;
  }
}
