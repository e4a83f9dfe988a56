import { AsyncResource } from 'node:async_hooks';
import { inspect } from 'node:util';

import type { Deserializer, WritePacket } from '@nestjs/microservices';
import { TransportError } from '@sealwire/channel';

import { encodeRequest } from '../packet/message.js';
import { checkDeserialized } from '../packet/packet.js';
import { weighData } from '../packet/payload.js';
import type { WeighedData } from '../packet/payload.js';
import { toCallerError } from '../packet/remote-error.js';
import { SerialQueue, MAX_STEPS_OF_ANSWER } from '../packet/serial-queue.js';
import { readWireError } from '../packet/wire-error.js';
import { ClientCall } from './client-call.js';
import type { CallCodec, ClientCallOptions } from './client-call.js';
import type { OutgoingPacket } from './record-builder.js';

/** One part of an answer. LAST is a value that also ends the answer. */
type AnswerPart = 'NEXT' | 'LAST' | 'ERROR' | 'COMPLETE';

const REQUEST: CallCodec = {
  kind: 'REQUEST',
  encode: ({ pattern, metadata, data }, timeoutMs) => encodeRequest({ timeoutMs, pattern, metadata, data }),
};
const NO_DATA = Buffer.alloc(0);
const NO_VALUE: WeighedData = { value: undefined, weight: 0 };

/** A request. It passes the values of the answer, then the end, to Nest's client. */
export class RequestCall extends ClientCall {
  readonly #callback: (packet: WritePacket) => void;
  /** The async context of the caller. Answers arrive in the context of the call that opened the connection. */
  readonly #caller = new AsyncResource('SEALWIRE_CALL');
  /** Keeps values in order while they are deserialized. */
  readonly #incoming: SerialQueue | undefined;

  constructor(options: ClientCallOptions, callback: (packet: WritePacket) => void) {
    super(REQUEST, options);
    this.#callback = callback;
    this.#incoming = options.host.deserializer && new SerialQueue(MAX_STEPS_OF_ANSWER);
  }

  /** @returns A function that cancels the request: Nest calls it on unsubscribe and after completion alike. */
  run(packet: OutgoingPacket): () => void {
    this.send(packet);
    return () => {
      if (!this.end()) return;
      this.options.trace?.cancel();
      this.cancelStream();
    };
  }

  override next(data: Buffer, last: boolean): void {
    this.noteValue();
    this.options.trace?.addAnswer(data.length);
    this.#caller.runInAsyncScope(() => this.#receive(last ? 'LAST' : 'NEXT', data));
  }

  override error(data: Buffer): void {
    this.options.trace?.addAnswer(data.length);
    this.#caller.runInAsyncScope(() => this.#receive('ERROR', data));
  }

  override complete(): void {
    this.#caller.runInAsyncScope(() => this.#receive('COMPLETE', NO_DATA));
  }

  protected override giveUp(err: unknown): void {
    if (!this.end()) return;
    this.options.trace?.fail(err);
    // Nest's client ignores a falsy `err`, and the call would never end.
    const error = err ? err : new Error(`The call failed with ${inspect(err)}`, { cause: err });
    this.#caller.runInAsyncScope(this.#callback, undefined, { err: error });
  }

  #receive(part: AnswerPart, data: Buffer): void {
    const { deserializer, maxJsonNodes } = this.options.host;
    let read: WeighedData;
    try {
      read = part === 'COMPLETE' ? NO_VALUE : weighData(data, 0, maxJsonNodes); // now, because the record is gone by the time a deserializer runs
    } catch (error) {
      const refuse = (): void => this.#refuse(error);
      if (this.#incoming === undefined) refuse();
      else this.#incoming.run(() => undefined, refuse, refuse); // after the values that a deserializer still has
      return;
    }
    const failure = part === 'ERROR' ? readWireError(data, read.value) : undefined;
    if (failure !== undefined && this.retriesAfter(failure)) return;
    const packet = toPacket(part, read.value, failure && this.ofAllAttempts(failure));
    if (deserializer === undefined) this.#take(part, packet);
    else this.#deserialize(deserializer, part, packet, read.weight);
  }

  #deserialize(deserializer: Deserializer, part: AnswerPart, packet: WritePacket, weight: number): void {
    const { waiting } = this.options.host;
    if (waiting.isFull) {
      this.#refuse(new TransportError('ERR_QUEUE_FULL', 'Answers that wait for the deserializer take too much memory'));
      return;
    }
    const letGo = waiting.hold(weight);
    this.#incoming?.run<WritePacket>(
      () => deserializer.deserialize(packet),
      (deserialized) => {
        letGo();
        this.#take(part, checkDeserialized(deserialized));
      },
      (error) => {
        letGo();
        this.#refuse(error);
      },
    );
  }

  /** Passes a part on. The last part ends the call, even if a deserializer has dropped `isDisposed`. */
  #take(part: AnswerPart, packet: WritePacket): void {
    if (part === 'ERROR' && !packet.err && packet.isDisposed !== true) {
      this.giveUp(packet.err);
      return;
    }
    const isLast = part !== 'NEXT' || packet.isDisposed === true || Boolean(packet.err);
    if (isLast && part === 'NEXT') this.cancelStream(); // a deserializer has ended the answer early
    const given = isLast && packet.isDisposed !== true ? { ...packet, isDisposed: true } : packet;
    if (isLast ? !this.end() : this.isOver) return;
    if (packet.err) this.options.trace?.fail(packet.err);
    else if (isLast) this.options.trace?.end();
    this.#callback(given);
  }

  /** Fails the call because a part is unreadable. The rest of the answer is cancelled. */
  #refuse(error: unknown): void {
    this.cancelStream();
    this.giveUp(error);
  }
}

/** Converts a part to the packet that Nest's client expects. @param failure - Of the transport, for an ERROR. */
function toPacket(part: AnswerPart, value: unknown, failure: unknown): WritePacket {
  switch (part) {
    case 'NEXT':
    case 'LAST':
      return { response: value, isDisposed: part === 'LAST' };
    case 'ERROR':
      return { err: failure ?? toCallerError(value) };
    case 'COMPLETE':
      return { isDisposed: true };
  }
}
