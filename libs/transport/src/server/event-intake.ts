// The server side of the events of one connection (docs/protocol.md §6.7): it drops an event that the window has, checks
// everything else, and records the sequence when it calls the handlers. An event that cannot be handed over is refused.
import type { MessageHandler } from '@nestjs/microservices';
import type { ServerStream } from '@sealwire/channel';
import { IdTable, readSequence, wireError } from '@sealwire/channel/internal';
import type { RefusalCode } from '@sealwire/channel/internal';

import { publishCallUnhandled } from '../diagnostics.js';
import { decodeEvent } from '../packet/message.js';
import type { ReceivedCall, ReceivedEvent } from '../packet/message.js';
import { encodeData } from '../packet/payload.js';
import type { SerialQueue } from '../packet/serial-queue.js';
import type { WaitingMessages } from '../packet/waiting-messages.js';
import { contentCodeOf } from '../packet/wire-error.js';
import type { DeferredEvents } from './deferred-events.js';
import type { DispatcherOptions } from './handler-host.js';
import type { MessageScope } from './message-scope.js';
import { deserializeCall, toReceivedCall } from './received-call.js';

export interface EventIntakeOptions extends DispatcherOptions {
  readonly order: SerialQueue;
  readonly deferred: DeferredEvents;
  readonly waitingMessages: WaitingMessages;
  readonly execute: (scope: MessageScope, handler: MessageHandler, call: ReceivedCall) => void;
}

export class EventIntake {
  readonly #options: EventIntakeOptions;
  /** The sequences of complete events that are neither handed over nor refused. */
  readonly #pending = new IdTable<number>();

  constructor(options: EventIntakeOptions) {
    this.#options = options;
  }

  receive(scope: MessageScope, message: Buffer): void {
    const { stream } = scope;
    const { host, window, limits, order, deferred, waitingMessages } = this.#options;
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
    const mustWait = deferred.mustWait || order.whenIdle !== undefined;
    if (mustWait && waitingMessages.isFull) {
      this.#refuseOverloaded(stream, event.pattern);
      return;
    }
    waitingMessages.add(stream, event.weight + scope.recordBytes);
    order.run(
      () => deserializeCall(host, event, false),
      (call) => this.#takeTurn(scope, sequence, toReceivedCall(host, call, event)),
      (error) => this.#refuseUnreadable(stream, error),
    );
  }

  /** Refuses an incomplete event for which there is no memory. @param begun - Its bytes so far, at least the sequence. */
  refuseIncomplete(stream: ServerStream, begun: Buffer): void {
    const sequence = readSequence(begun) ?? NaN;
    this.#pending.set(stream.id, sequence);
    if (Number.isNaN(sequence)) this.#refuse(stream, 'ERR_MESSAGE_MALFORMED');
    else this.#refuseOverloaded(stream, undefined);
  }

  /** Refuses an event that no handler has, because the server shuts down. @param begun - The bytes of an incomplete event. */
  refuseLate(stream: ServerStream, begun: Buffer | undefined): void {
    const sequence = begun === undefined ? this.#pending.get(stream.id) : readSequence(begun);
    if (sequence === undefined) return; // without its sequence an event cannot be answered
    this.#pending.set(stream.id, sequence);
    this.#refuse(stream, Number.isNaN(sequence) ? 'ERR_MESSAGE_MALFORMED' : 'ERR_SHUTTING_DOWN');
  }

  /** Drops an event that no handler has. A running handler is not cancelled, because an event has no result. */
  cancelled(stream: ServerStream): void {
    this.#pending.delete(stream.id);
    // An event that the deserializer has is counted until the deserializer returns it.
    if (this.#options.deferred.forget(stream)) this.#options.waitingMessages.remove(stream);
  }

  #takeTurn(scope: MessageScope, sequence: number, call: ReceivedCall): void {
    const { stream } = scope;
    const { host, deferred, waitingMessages } = this.#options;
    if (!stream.isRunning) {
      waitingMessages.remove(stream); // refused, or its connection ended, while it was deserialized
      return;
    }
    if (this.#refuseForbidden(stream, call.pattern)) return;
    const handler = host.findHandler(call.pattern);
    const handOver = (): void => this.#handOver(scope, sequence, handler, call);
    if (handler === null) {
      handOver(); // without a handler it needs no place
      return;
    }
    deferred.run(stream, () => {
      // The end of another message may call this, and the operator may have changed the patterns meanwhile.
      if (!this.#refuseForbidden(stream, call.pattern)) scope.runInAsyncScope(handOver);
    });
  }

  /** Records the sequence and calls the handlers. Not earlier: the client may repeat an event that was not handed over. */
  #handOver(scope: MessageScope, sequence: number, handler: MessageHandler | null, call: ReceivedCall): void {
    const { window, execute } = this.#options;
    this.#letGo(scope.stream);
    if (window.admit(sequence)) {
      if (handler === null) this.#unhandled(call.pattern);
      else execute(scope, handler, call);
    }
    scope.stream.acknowledge();
  }

  #unhandled(pattern: string): void {
    this.#options.host.failures.noEventHandler(pattern);
    publishCallUnhandled('event', 'no_handler', pattern);
  }

  #refuseUnreadable(stream: ServerStream, error: unknown): void {
    this.#options.host.failures.eventUnreadable(error);
    publishCallUnhandled('event', 'unreadable');
    this.#refuse(stream, contentCodeOf(error));
  }

  /** Refuses an event that the key may not send. Called before the handler is looked up, so that its absence does not show. */
  #refuseForbidden(stream: ServerStream, pattern: string): boolean {
    const { host, peer } = this.#options;
    if (peer.allows(pattern)) return false;
    if (this.#refuse(stream, 'ERR_FORBIDDEN')) host.onForbidden('event', pattern, peer);
    return true;
  }

  #refuseOverloaded(stream: ServerStream, pattern: string | undefined): void {
    if (this.#refuse(stream, 'ERR_OVERLOADED')) this.#options.host.onOverloaded('event', pattern);
  }

  /** Refuses an event. Returns false if another connection of the client has handed it over, so that it is acknowledged. */
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
