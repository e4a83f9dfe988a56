import { Inject, Injectable, Logger } from '@nestjs/common';
import { printable } from '@sealwire/app';

import { settings } from '../config/registration.js';
import type { Settings } from '../config/settings.js';

/** Logs what `POST /messages` sends and gets. LOG_MESSAGES=false keeps the text out. */
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
