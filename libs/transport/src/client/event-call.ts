import type { TransportError } from '@sealwire/channel';

import { encodeEvent } from '../packet/message.js';
import { decodeData } from '../packet/payload.js';
import { RemoteError } from '../packet/remote-error.js';
import { readRefusal } from '../packet/wire-error.js';
import { ClientCall } from './client-call.js';
import type { CallCodec, ClientCallOptions } from './client-call.js';
import type { OutgoingPacket } from './record-builder.js';

const EVENT: CallCodec = { kind: 'EVENT', encode: (call) => encodeEvent(call) };
const NOT_A_REFUSAL = 'The server answered the event with an error that the protocol does not define for events';

/** An event. It ends when the server has handed it to its handlers, or has refused it; their results are discarded. */
export class EventCall<T> extends ClientCall {
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: unknown) => void;
  #isSettled = false;

  private constructor(options: ClientCallOptions, resolve: (value: T) => void, reject: (error: unknown) => void) {
    super(EVENT, options);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Sends an event. `sent` of a `TransportError` says whether a handler may have run. */
  static run<T>(options: ClientCallOptions, packet: OutgoingPacket): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      new EventCall<T>(options, resolve, reject).send(packet);
    });
  }

  sealed(): void {
    if (this.options.onLost === undefined || this.isOver) return;
    this.#isSettled = true;
    this.stopDeadline();
    this.#resolve(undefined as T); // as in `complete`
  }

  override next(): void {}

  /** Handles an ERROR. For an event it means only that the server refused it and called no handler. */
  override error(data: Buffer): void {
    const refusal = this.#readRefusal(data);
    if (refusal === undefined) this.giveUp(new RemoteError({}, NOT_A_REFUSAL));
    else if (!this.retriesAfter(refusal)) this.giveUp(this.ofAllAttempts(refusal));
  }

  override complete(): void {
    if (this.end()) this.#resolve(undefined as T); // the type is Nest's; an event has no result but its arrival
  }

  protected override giveUp(error: unknown): void {
    if (!this.end()) return;
    if (this.#isSettled) this.options.onLost?.(error);
    else this.#reject(error);
  }

  #readRefusal(data: Buffer): TransportError | undefined {
    try {
      return readRefusal(data, decodeData(data, 0, this.options.host.maxJsonNodes));
    } catch {
      return undefined; // bad content
    }
  }
}
