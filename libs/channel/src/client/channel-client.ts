// The client of the secure channel for applications without Nest: requests and events of raw bytes.
import { takeCodec } from '../connection/sealing.js';
import { forgetOwnClient, noteOwnClient } from '../instances.js';
import { resolveChannelOptions } from '../options/channel-options.js';
import type { ChannelClientOptions } from '../options/channel-options.js';
import type { OutgoingMessage } from '../sending/outgoing-message.js';
import { encodePlainEvent, encodePlainRequest } from '../sending/plain-message.js';
import type { ClientConnectionEvent } from './connection-event.js';
import { Connector } from './connector.js';
import { Dialer } from './dialer.js';
import type { Links } from './links.js';
import { PlainCall } from './plain-call.js';

export interface ChannelClientEvents {
  readonly onConnectionEvent?: (event: ClientConnectionEvent) => void;
  /** What is wrong with the key file, though it may be used. */
  readonly warn?: (message: string) => void;
}

export interface PlainRequestOptions {
  /** After that the request fails, at both ends; 0, the default: never. */
  readonly timeoutMs?: number;
}

/** Connects with the first call, and again with the next call after a loss. */
export class ChannelClient {
  readonly #dialer: Dialer;
  readonly #links: Links;
  readonly #drainMs: number;

  /** @throws {TransportError} `ERR_BAD_OPTION` */
  constructor(options: ChannelClientOptions, events: ChannelClientEvents = {}) {
    const limits = resolveChannelOptions(options, 'client');
    this.#dialer = new Dialer(options, { limits, createCodec: takeCodec, warn: events.warn ?? (() => undefined) });
    this.#drainMs = limits.drainMs;
    this.#links = new Connector({
      open: (signal, linkEvents) => this.#dialer.open(signal, linkEvents),
      limits,
      emit: (event) => events.onConnectionEvent?.(event),
    });
    noteOwnClient(this.#dialer.instance.publicKey);
  }

  /**
   * Resolves to the answer, and to its last value if it has several.
   *
   * @param body - Copied.
   * @throws {TransportError} For every failure of the protocol; `sent: false` if no handler can have run.
   * @throws {Error} The handler failed: the message is that of the server.
   */
  async request(pattern: string, body: Uint8Array, { timeoutMs = 0 }: PlainRequestOptions = {}): Promise<Buffer> {
    const answer = await this.#call('REQUEST', encodePlainRequest(pattern, body, timeoutMs), timeoutMs);
    return answer ?? Buffer.alloc(0);
  }

  /** Resolves when the server has handed the event to its handler. Throws as {@link request}. */
  async emit(pattern: string, body: Uint8Array): Promise<void> {
    await this.#call('EVENT', encodePlainEvent(pattern, body), 0);
  }

  /** Lets what is running finish, up to `timeouts.drainMs`. The client may be used again. */
  async close(): Promise<void> {
    forgetOwnClient(this.#dialer.instance.publicKey);
    await this.#links.close(this.#drainMs);
  }

  async #call(kind: 'REQUEST' | 'EVENT', message: OutgoingMessage, timeoutMs: number): Promise<Buffer | undefined> {
    const link = this.#links.pick() ?? (await this.#links.connect());
    return new Promise((resolve, reject) => {
      new PlainCall({ resolve, reject }).start(link, kind, message, timeoutMs);
    });
  }
}
