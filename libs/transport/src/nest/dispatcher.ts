// Hands the messages of one connection to Nest's handlers (docs/protocol.md §6.5 to §6.7).
import type { MessageHandler, Serializer } from '@nestjs/microservices';

import type { Deadline } from '../deadline.js';
import { IdTable } from '../frame/id-table.js';
import { decodeEvent, decodeRequest } from '../frame/message.js';
import type { Call, ReceivedCall, ReceivedEvent, ReceivedRequest } from '../frame/message.js';
import type { ServerStream, ServerStreams, StreamHandler } from '../frame/server-streams.js';
import { Answer } from './answer.js';
import type { AnswerHost } from './answer.js';
import { Arrival } from './arrival.js';
import { ConnectionPlaces } from './connection-places.js';
import { SealwireContext } from './context.js';
import { DeferredEvents } from './deferred-events.js';
import { eventSink } from './event-sink.js';
import { Execution } from './execution.js';
import type { ResultSink } from './execution.js';
import type { DispatcherOptions } from './handler-host.js';
import { InOrder } from './in-order.js';
import { deserializeCall, toReceivedCall } from './received-call.js';
import { toldCode } from './remote-error.js';
import { RequestDeadlines } from './request-deadlines.js';
import { WaitingMessages } from './waiting-messages.js';

/** Nest's own words: callers compare with them. */
export const NO_MESSAGE_HANDLER = 'There is no matching message handler defined in the remote service.';

interface Work {
  readonly arrival: Arrival;
  readonly execution: Execution;
  readonly deadline: Deadline | undefined;
  readonly pattern: string;
}

export class Dispatcher implements StreamHandler, AnswerHost {
  readonly #options: DispatcherOptions;
  readonly #order: InOrder;
  readonly #work = new IdTable<Work>();
  readonly #deadlines = new RequestDeadlines((stream) => this.#expire(stream));
  readonly #deferred: DeferredEvents;
  readonly #waiting: WaitingMessages;
  readonly #places: ConnectionPlaces;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#places = new ConnectionPlaces(options.limits, options.host.places);
    this.#deferred = new DeferredEvents(this.#places, options.host.places);
    this.#waiting = new WaitingMessages(options.limits.maxRunningBytes, options.host.waiting);
    this.#order = new InOrder(Infinity); // as many as there are streams in flight
  }

  get streams(): ServerStreams {
    return this.#options.streams();
  }

  get serializer(): Serializer | undefined {
    return this.#options.host.serializer;
  }

  flush(isPaced?: boolean): void {
    this.#options.flush(isPaced);
  }

  handlerFailed(stream: ServerStream, error: unknown): void {
    this.#options.host.failures.handlerFailed(error, this.#work.get(stream.id)?.pattern);
  }

  answerFailed(stream: ServerStream, error: unknown): void {
    this.#options.host.failures.answerFailed(error, this.#work.get(stream.id)?.pattern);
    this.cancelled(stream);
  }

  begun(stream: ServerStream, timeoutMs: number): void {
    this.#deadlines.startEarly(stream, timeoutMs);
  }

  request(stream: ServerStream, message: Buffer): void {
    const arrival = new Arrival(stream, this.#options.currentRecord());
    arrival.runInAsyncScope(() => this.#receiveRequest(arrival, message));
  }

  /** @throws {TransportError} `ERR_EVENT_BACKLOG`, which ends the connection: an event cannot be refused. */
  event(stream: ServerStream, message: Buffer): void {
    const arrival = new Arrival(stream, this.#options.currentRecord());
    arrival.runInAsyncScope(() => this.#receiveEvent(arrival, message));
  }

  #receiveRequest(arrival: Arrival, message: Buffer): void {
    const answer = new Answer(this, arrival.stream);
    let request: ReceivedRequest;
    try {
      request = decodeRequest(message, this.#options.limits.maxJsonNodes);
    } catch (error) {
      this.#deadlines.clearEarly(arrival.stream);
      answer.fail(toldCode(error));
      return;
    }
    if (this.#options.host.deserializer === undefined) {
      this.#runRequest(arrival, request, request.timeoutMs, answer);
      return;
    }
    if (this.#waiting.isFull) {
      this.#deadlines.clearEarly(arrival.stream);
      this.#refuse(answer, request.pattern);
      return;
    }
    this.#waiting.add(arrival.stream, request.weight + arrival.recordBytes);
    this.#deadlines.startEarly(arrival.stream, request.timeoutMs);
    this.#order.run<Call>(
      () => deserializeCall(this.#options.host, request, true),
      (call) => this.#runRequest(arrival, toReceivedCall(this.#options.host, call, request), request.timeoutMs, answer),
      (error) => {
        this.#waiting.remove(arrival.stream);
        this.#deadlines.clearEarly(arrival.stream);
        this.#options.host.failures.requestUnreadable(error); // the user's deserializer, or what comes of it
        answer.fail('ERR_MESSAGE_MALFORMED');
      },
    );
  }

  #receiveEvent(arrival: Arrival, message: Buffer): void {
    let event: ReceivedEvent;
    try {
      event = decodeEvent(message, this.#options.limits.maxJsonNodes);
    } catch (error) {
      this.#eventUnreadable(arrival.stream, error);
      return;
    }
    if (this.#deferred.mustWait || this.#order.whenIdle !== undefined) this.#waiting.checkRoom();
    this.#waiting.add(arrival.stream, event.weight + arrival.recordBytes);
    this.#order.run(
      () => deserializeCall(this.#options.host, event, false),
      (call) => this.#runEvent(arrival, event.sequence, toReceivedCall(this.#options.host, call, event)),
      (error) => this.#eventUnreadable(arrival.stream, error),
    );
  }

  #eventUnreadable(stream: ServerStream, error: unknown): void {
    this.#waiting.remove(stream);
    this.#options.host.failures.eventUnreadable(error);
    this.#acknowledge(stream);
  }

  cancelled(stream: ServerStream): void {
    // What the deserializer has is counted until it has done with it, whoever still wants it.
    if (stream.kind === 'EVENT') {
      // Nobody waits for what the handler of an event does: one that runs goes on.
      if (this.#deferred.forget(stream)) this.#waiting.remove(stream);
      return;
    }
    this.#deadlines.clearEarly(stream);
    const work = this.#work.get(stream.id);
    if (work === undefined) return;
    work.deadline?.clear();
    this.#work.delete(stream.id);
    work.arrival.runInAsyncScope(() => work.execution.cancel());
  }

  /** Patterns of the requests whose handlers run. */
  get runningRequests(): readonly string[] {
    return this.#requests.map(({ pattern }) => pattern);
  }

  /** Whether requests run, and no others than these. */
  runsOnly(executions: ReadonlySet<Execution>): boolean {
    const requests = this.#requests;
    return requests.length > 0 && requests.every(({ execution }) => executions.has(execution));
  }

  /** The server closes: answers of many values, which may never end, end with an error that says so. */
  endSeries(): void {
    for (const { arrival, execution } of this.#requests) {
      if (!execution.isSeries) continue;
      const { stream } = arrival;
      new Answer(this, stream).fail('ERR_CONNECTION_DRAINING');
      this.cancelled(stream);
    }
  }

  #runRequest(arrival: Arrival, call: ReceivedCall, timeoutMs: number, answer: Answer): void {
    const { stream } = arrival;
    this.#waiting.remove(stream);
    const leftMs = this.#deadlines.takeLeftMs(stream, timeoutMs);
    if (!this.streams.isRunning(stream)) return; // cancelled, or too late, while it was deserialized
    const handler = this.#options.host.findHandler(call.pattern);
    if (handler === null) {
      answer.error(NO_MESSAGE_HANDLER, true);
      return;
    }
    if (leftMs <= 0) {
      answer.fail('ERR_REQUEST_TIMEOUT');
      return;
    }
    if (this.#places.isFullForRequests) {
      this.#refuse(answer, call.pattern);
      return;
    }
    this.#execute(arrival, handler, call, answer, this.#deadlines.start(stream, leftMs));
  }

  #refuse(answer: Answer, pattern: string): void {
    answer.fail('ERR_OVERLOADED');
    this.#options.host.overloaded(pattern);
  }

  #expire(stream: ServerStream): void {
    new Answer(this, stream).fail('ERR_REQUEST_TIMEOUT');
    this.cancelled(stream);
  }

  #runEvent(arrival: Arrival, sequence: number, call: ReceivedCall): void {
    const { stream } = arrival;
    const { host, window } = this.#options;
    if (!this.streams.isRunning(stream)) {
      this.#waiting.remove(stream); // its connection ended while it was deserialized
      return;
    }
    const handler = host.findHandler(call.pattern);
    if (handler === null) {
      this.#waiting.remove(stream);
      host.failures.noEventHandler(call.pattern);
      this.#acknowledge(stream);
      return;
    }
    const handOver = (): void => {
      this.#waiting.remove(stream);
      // Noted now and not before: an event that was not handed over may come again.
      if (window.admit(sequence)) this.#execute(arrival, handler, call, eventSink(host, call.pattern));
      this.#acknowledge(stream);
    };
    this.#deferred.run(stream, () => arrival.runInAsyncScope(handOver)); // it may be the end of another message that runs it
  }

  #execute(
    arrival: Arrival,
    handler: MessageHandler,
    { pattern, metadata, data, weight }: ReceivedCall,
    sink: ResultSink,
    deadline?: Deadline,
  ): void {
    const { host, peer } = this.#options;
    const { stream, record } = arrival;
    const context = new SealwireContext({ peer, pattern, metadata, record });
    const bytes = weight + arrival.recordBytes;
    const settled = (): void => {
      deadline?.clear();
      this.#work.delete(stream.id);
      this.#places.release(bytes);
      this.#deferred.runWaiting();
    };
    const execution = new Execution({ handler, data, context, sink, settled, hooks: host.hooks });
    this.#places.take(bytes);
    this.#work.set(stream.id, { arrival, execution, deadline, pattern });
    void execution.start();
  }

  get #requests(): readonly Work[] {
    return this.#work.entries().flatMap(([, work]) => (work.arrival.stream.kind === 'REQUEST' ? [work] : []));
  }

  #acknowledge(stream: ServerStream): void {
    this.streams.acknowledge(stream);
    this.flush();
  }
}
