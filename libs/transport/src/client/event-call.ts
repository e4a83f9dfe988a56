import type { TransportError } from '@sealwire/channel';

import { encodeEvent } from '../packet/message.js';
import { decodeData } from '../packet/payload.js';
import { RemoteError } from '../packet/remote-error.js';
import { readRefusal } from '../packet/wire-error.js';
import { ClientCall } from './client-call.js';
import type { CallCodec, ClientCallOptions } from './client-call.js';
import type { OutgoingPacket } from './record-builder.js';

const EVENT: CallCodec = { kind: 'EVENT', encode: (call) => encodeEvent(call) };
const NOT_A_REFUSAL = 'The server answered the event with an error that is not a refusal of the protocol';

/** An event is done when the server has handed it to its handlers, or has refused it. Their answers go nowhere. */
export class EventCall<T> extends ClientCall {
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: unknown) => void;

  private constructor(options: ClientCallOptions, resolve: (value: T) => void, reject: (error: unknown) => void) {
    super(options);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Rejects with what the call failed with: `sent` of a `TransportError` says whether a handler may have run. */
  static run<T>(options: ClientCallOptions, packet: OutgoingPacket): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      new EventCall<T>(options, resolve, reject).send(packet, EVENT);
    });
  }

  override next(): void {}

  /** The server has refused the event, and no handler was called; what else an ERROR may say means nothing for an event. */
  override error(data: Buffer): void {
    this.fail(this.#readRefusal(data) ?? new RemoteError({}, NOT_A_REFUSAL));
  }

  override complete(): void {
    if (this.end()) this.#resolve(undefined as T); // Nest's type; nothing is said about an event but that it arrived
  }

  override fail(error: unknown): void {
    if (this.end()) this.#reject(error);
  }

  #readRefusal(data: Buffer): TransportError | undefined {
    try {
      return readRefusal(data, decodeData(data, 0, this.options.host.maxJsonNodes));
    } catch {
      return undefined; // bad content
    }
  }
}
