import { Inject, Injectable, Logger } from '@nestjs/common';

import { settings } from '../config/registration.js';
import type { Settings } from '../config/settings.js';

const MAX_CHARACTERS = 1_000;

/** Prints what `POST /messages` sends and gets. LOG_MESSAGES=false keeps the text out. */
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
    const json = JSON.stringify(value) ?? 'nothing'; // as JSON, no text can forge a line of the log
    if (!this.#showsText) return `${Buffer.byteLength(json)} bytes`;
    return json.length > MAX_CHARACTERS ? `${json.slice(0, MAX_CHARACTERS)}…` : json;
  }
}
