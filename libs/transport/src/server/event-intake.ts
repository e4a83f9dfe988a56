// How a server takes the events of one connection (docs/protocol.md §6.7): it asks the window, checks everything else, and
// records the sequence when it calls the handlers. What cannot be handed over is refused.
import type { MessageHandler } from '@nestjs/microservices';
import type { ServerStream } from '@sealwire/channel';
import { IdTable, readSequence } from '@sealwire/channel/internal';

import type { InOrder } from '../packet/in-order.js';
import { decodeEvent } from '../packet/message.js';
import type { ReceivedCall, ReceivedEvent } from '../packet/message.js';
import { encodeData } from '../packet/payload.js';
import type { WaitingMessages } from '../packet/waiting-messages.js';
import { contentCodeOf, wireError } from '../packet/wire-error.js';
import type { RefusalCode } from '../packet/wire-error.js';
import type { Arrival } from './arrival.js';
import type { DeferredEvents } from './deferred-events.js';
import type { DispatcherOptions } from './handler-host.js';
import { deserializeCall, toReceivedCall } from './received-call.js';

export interface EventIntakeOptions extends DispatcherOptions {
  readonly order: InOrder;
  readonly deferred: DeferredEvents;
  readonly waitingMessages: WaitingMessages;
  readonly execute: (arrival: Arrival, handler: MessageHandler, call: ReceivedCall) => void;
}

export class EventIntake {
  readonly #options: EventIntakeOptions;
  /** The sequences of complete events that are neither handed over nor refused. */
  readonly #pending = new IdTable<number>();

  constructor(options: EventIntakeOptions) {
    this.#options = options;
  }

  receive(arrival: Arrival, message: Buffer): void {
    const { stream } = arrival;
    const { host, window, limits, order, waitingMessages } = this.#options;
    const sequence = readSequence(message) ?? NaN;
    if (window.has(sequence)) {
      stream.acknowledge();
      return;
    }
    this.#pending.set(stream.id, sequence);
    let event: ReceivedEvent;
    try {
      event = decodeEvent(message, limits.maxJsonNodes);
    } catch (error) {
      this.#refuseUnreadable(stream, error);
      return;
    }
    if (this.#isOverloaded) {
      this.#refuseOverloaded(stream, event.pattern);
      return;
    }
    waitingMessages.add(stream, event.weight + arrival.recordBytes);
    order.run(
      () => deserializeCall(host, event, false),
      (call) => this.#takeTurn(arrival, sequence, toReceivedCall(host, call, event)),
      (error) => this.#refuseUnreadable(stream, error),
    );
  }

  /** There is no memory for an event. @param begun - At least its sequence. */
  refuseIncomplete(stream: ServerStream, begun: Buffer): void {
    const sequence = readSequence(begun) ?? NaN;
    this.#pending.set(stream.id, sequence);
    if (Number.isNaN(sequence)) this.#refuse(stream, 'ERR_MESSAGE_MALFORMED');
    else this.#refuseOverloaded(stream, undefined);
  }

  /** The server shuts down, and no handler has the event. @param begun - What has come of one that is not complete. */
  refuseLate(stream: ServerStream, begun: Buffer | undefined): void {
    const sequence = begun === undefined ? this.#pending.get(stream.id) : readSequence(begun);
    if (sequence === undefined) return; // too little has come for an answer
    this.#pending.set(stream.id, sequence);
    this.#refuse(stream, Number.isNaN(sequence) ? 'ERR_MESSAGE_MALFORMED' : 'ERR_SHUTTING_DOWN');
  }

  /** Nobody waits for what the handler of an event does: one that runs goes on. */
  cancelled(stream: ServerStream): void {
    this.#pending.delete(stream.id);
    // What the deserializer has is counted until it has done with it.
    if (this.#options.deferred.forget(stream)) this.#options.waitingMessages.remove(stream);
  }

  /** An event that comes now would have to wait, and what waits takes as much memory as it may. */
  get #isOverloaded(): boolean {
    const { deferred, order, waitingMessages } = this.#options;
    return (deferred.mustWait || order.whenIdle !== undefined) && waitingMessages.isFull;
  }

  #takeTurn(arrival: Arrival, sequence: number, call: ReceivedCall): void {
    const { stream } = arrival;
    const { host, deferred, waitingMessages } = this.#options;
    if (!stream.isRunning) {
      waitingMessages.remove(stream); // it was refused, or its connection ended, while it was deserialized
      return;
    }
    const handler = host.findHandler(call.pattern);
    const handOver = (): void => this.#handOver(arrival, sequence, handler, call);
    if (handler === null) {
      handOver(); // no handler takes no place
      return;
    }
    deferred.run(stream, () => arrival.runInAsyncScope(handOver)); // it may be the end of another message that runs it
  }

  /** Recorded now and not before: an event that was not handed over may come again. */
  #handOver(arrival: Arrival, sequence: number, handler: MessageHandler | null, call: ReceivedCall): void {
    const { host, window, execute } = this.#options;
    this.#letGo(arrival.stream);
    if (window.admit(sequence)) {
      if (handler === null) host.failures.noEventHandler(call.pattern);
      else execute(arrival, handler, call);
    }
    arrival.stream.acknowledge();
  }

  #refuseUnreadable(stream: ServerStream, error: unknown): void {
    this.#options.host.failures.eventUnreadable(error);
    this.#refuse(stream, contentCodeOf(error));
  }

  #refuseOverloaded(stream: ServerStream, pattern: string | undefined): void {
    if (this.#refuse(stream, 'ERR_OVERLOADED')) this.#options.host.overloaded('event', pattern);
  }

  /** False: another connection of the client has handed it over meanwhile, so it is acknowledged. */
  #refuse(stream: ServerStream, code: RefusalCode): boolean {
    const { window } = this.#options;
    const sequence = this.#pending.get(stream.id) ?? NaN;
    this.#letGo(stream);
    if (window.has(sequence)) {
      stream.acknowledge();
      return false;
    }
    stream.fail(encodeData(wireError(code)));
    return true;
  }

  #letGo(stream: ServerStream): void {
    this.#pending.delete(stream.id);
    this.#options.deferred.forget(stream);
    this.#options.waitingMessages.remove(stream);
  }
}
