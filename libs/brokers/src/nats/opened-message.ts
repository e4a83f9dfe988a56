import type { NatsHeaders } from './nats-library.js';

/** Sends a value of an answer. Returns whether it was sent. */
export type Respond = (data: Uint8Array | string | undefined, headers: NatsHeaders | undefined) => boolean;

export interface OpenedMessageOptions {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly reply?: string | undefined;
  readonly headers: NatsHeaders | undefined;
  readonly respond?: Respond;
}

/** A message as Nest reads it, with the sealed payload, subject and headers. */
export class OpenedMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly reply: string | undefined;
  readonly headers: NatsHeaders | undefined;
  readonly #respond: OpenedMessageOptions['respond'];

  constructor({ subject, data, reply, headers, respond }: OpenedMessageOptions) {
    this.subject = subject;
    this.data = data;
    this.reply = reply;
    this.headers = headers;
    this.#respond = respond;
  }

  /** Sends a value of the answer. Returns false if the message expects none. */
  respond(data?: Uint8Array | string, options?: { readonly headers?: NatsHeaders }): boolean {
    return this.#respond?.(data, options?.headers) ?? false;
  }

  string(): string {
    return Buffer.from(this.data).toString();
  }

  /** @throws {SyntaxError} */
  json(): unknown {
    return JSON.parse(this.string());
  }
}
