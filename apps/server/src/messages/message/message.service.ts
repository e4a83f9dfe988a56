import { hostname } from 'node:os';

import { Inject, Injectable } from '@nestjs/common';

import { MessageLog } from '../message-log.js';

export interface Receipt {
  readonly text: string;
  /** The length of the text as UTF-8. */
  readonly bytes: number;
  /** The time in ISO 8601, by the clock of the server. */
  readonly receivedAt: string;
  /** The key that the message was encrypted under. */
  readonly keyId: string;
  /** The host name of the server: in a container its id, in Kubernetes the name of the pod. */
  readonly server: string;
}

/** Logs a message of either wire and creates its receipt. */
@Injectable()
export class MessageService {
  readonly #log: MessageLog;

  constructor(@Inject(MessageLog) log: MessageLog) {
    this.#log = log;
  }

  /** @param record - The bytes that carried the message, still encrypted. */
  receive(text: string, keyId: string, record: Uint8Array | undefined): Receipt {
    this.#log.sealed(record);
    return this.#receipt(text, keyId);
  }

  /** @param ciphertext - The whole message as received on the legacy wire, which has no answers. */
  receiveLegacy(text: string, keyId: string, ciphertext: Uint8Array, address: string | undefined): Receipt {
    this.#log.legacy(ciphertext, address);
    return this.#receipt(text, keyId);
  }

  #receipt(text: string, keyId: string): Receipt {
    this.#log.text(text);
    const receivedAt = new Date().toISOString();
    return { text, bytes: Buffer.byteLength(text), receivedAt, keyId, server: hostname() };
  }
}
