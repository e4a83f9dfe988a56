// Hands the messages of one connection to Nest's handlers (docs/protocol.md §6.5 to §6.7).
import type { Deserializer, MessageHandler, MsPattern, Serializer } from '@nestjs/microservices';

import { clock } from '../clock.js';
import { Deadline } from '../deadline.js';
import type { EventWindow } from '../frame/event-window.js';
import { decodeEvent, decodeRequest } from '../frame/message.js';
import type { Call, RequestMessage } from '../frame/message.js';
import type { ServerStream, ServerStreams, StreamHandler } from '../frame/server-streams.js';
import type { Limits } from '../limits.js';
import { Answer } from './answer.js';
import type { AnswerHost } from './answer.js';
import { Arrival } from './arrival.js';
import { SealwireContext } from './context.js';
import type { PeerInfo } from './context.js';
import { eventSink } from './event-sink.js';
import { Execution } from './execution.js';
import type { ProcessingHooks, ResultSink } from './execution.js';
import type { FailureLog } from './failure-log.js';
import type { HandlerPlaces, WaitingEvents } from './handler-places.js';
import { InOrder } from './in-order.js';
import { checkDeserialized } from './packet.js';
import { toldCode } from './remote-error.js';

/** Nest's own words: callers compare with them. */
export const NO_MESSAGE_HANDLER = 'There is no matching message handler defined in the remote service.';

/** What a server lends to the dispatchers of its connections. */
export interface HandlerHost {
  readonly hooks: ProcessingHooks;
  readonly serializer: Serializer | undefined;
  readonly deserializer: Deserializer | undefined;
  readonly places: HandlerPlaces;
  findHandler(route: string): MessageHandler | null;
  toRoute(pattern: MsPattern): string;
  readonly failures: FailureLog;
  /** The handler of an event, which has no caller that could be told. */
  eventFailed(error: unknown, pattern: string): void;
}

export interface DispatcherOptions {
  readonly host: HandlerHost;
  readonly peer: PeerInfo;
  /** Which events of this client have been handed over. */
  readonly window: EventWindow;
  readonly limits: Pick<Limits, 'maxJsonNodes' | 'maxRunning'>;
  /** The connection's; it and the dispatcher know one another. */
  readonly streams: () => ServerStreams;
  readonly flush: (isPaced?: boolean) => void;
  readonly currentRecord: () => Buffer | undefined;
}

interface Work {
  readonly arrival: Arrival;
  readonly execution: Execution;
  readonly deadline: Deadline | undefined;
  readonly pattern: string;
}

export class Dispatcher implements StreamHandler, AnswerHost, WaitingEvents {
  readonly #options: DispatcherOptions;
  readonly #order: InOrder;
  readonly #work = new Map<ServerStream, Work>();
  /** Events that wait for a handler to end; bounded by the streams in flight. */
  readonly #deferred = new Map<ServerStream, () => void>();
  #running = 0;
  #isHandingOver = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
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
    this.#options.host.failures.handlerFailed(error, this.#work.get(stream)?.pattern);
  }

  answerFailed(stream: ServerStream, error: unknown): void {
    this.#options.host.failures.answerFailed(error, this.#work.get(stream)?.pattern);
    this.cancelled(stream);
  }

  request(stream: ServerStream, message: Buffer): void {
    const arrival = new Arrival(stream, this.#options.currentRecord());
    arrival.runInAsyncScope(() => this.#receiveRequest(arrival, message));
  }

  event(stream: ServerStream, message: Buffer): void {
    const arrival = new Arrival(stream, this.#options.currentRecord());
    arrival.runInAsyncScope(() => this.#receiveEvent(arrival, message));
  }

  #receiveRequest(arrival: Arrival, message: Buffer): void {
    const answer = new Answer(this, arrival.stream);
    let request: RequestMessage;
    try {
      request = decodeRequest(message, this.#options.limits.maxJsonNodes);
    } catch (error) {
      answer.fail(toldCode(error));
      return;
    }
    if (this.#options.host.deserializer === undefined) {
      this.#runRequest(arrival, request, request.timeoutMs, answer);
      return;
    }
    this.#order.run<Call>(
      () => this.#deserialize(request, true),
      (call) => this.#runRequest(arrival, this.#routed(call), request.timeoutMs, answer),
      (error) => {
        this.#options.host.failures.requestUnreadable(error); // the user's deserializer, or what comes of it
        answer.fail('ERR_MESSAGE_MALFORMED');
      },
    );
  }

  #receiveEvent(arrival: Arrival, message: Buffer): void {
    let sequence = 0;
    const decode = (): Call | Promise<Call> => {
      const event = decodeEvent(message, this.#options.limits.maxJsonNodes);
      ({ sequence } = event);
      return this.#deserialize(event, false);
    };
    this.#order.run(
      decode,
      (call) => this.#runEvent(arrival, sequence, this.#routed(call)),
      (error) => {
        this.#options.host.failures.eventUnreadable(error);
        this.#acknowledge(arrival.stream);
      },
    );
  }

  cancelled(stream: ServerStream): void {
    if (stream.kind === 'EVENT') {
      this.#forgetDeferred(stream); // nobody waits for what the handler of an event does: one that runs goes on
      return;
    }
    const work = this.#work.get(stream);
    if (work === undefined) return;
    work.deadline?.clear();
    this.#work.delete(stream);
    work.arrival.runInAsyncScope(() => work.execution.cancel());
  }

  /** Patterns of the requests whose handlers run. */
  get runningRequests(): readonly string[] {
    return [...this.#work].filter(([{ kind }]) => kind === 'REQUEST').map(([, { pattern }]) => pattern);
  }

  /** Whether requests run, and no others than these. */
  runsOnly(executions: ReadonlySet<Execution>): boolean {
    const requests = [...this.#work].filter(([{ kind }]) => kind === 'REQUEST');
    return requests.length > 0 && requests.every(([, { execution }]) => executions.has(execution));
  }

  /** The server closes: answers of many values, which may never end, end with an error that says so. */
  endSeries(): void {
    for (const [stream, { execution }] of this.#work) {
      if (stream.kind !== 'REQUEST' || !execution.isSeries) continue;
      new Answer(this, stream).fail('ERR_CONNECTION_DRAINING');
      this.cancelled(stream);
    }
  }

  /** Some of them do not start a handler any more, so that there may be room for the next. */
  runWaiting(): void {
    if (this.#isHandingOver) return; // one of them has ended at once: the loop that handed it over goes on
    this.#isHandingOver = true;
    try {
      this.#handOver();
    } finally {
      this.#isHandingOver = false;
    }
  }

  #handOver(): void {
    const { places } = this.#options.host;
    for (const [stream, run] of this.#deferred) {
      if (this.#isFull) return;
      if (places.isFullForEvents) {
        places.enqueue(this);
        return;
      }
      this.#deferred.delete(stream);
      run();
    }
  }

  #deserialize(call: Call, isRequest: boolean): Call | Promise<Call> {
    const { deserializer } = this.#options.host;
    if (deserializer === undefined) return call;
    // Nest tells requests from events by the id.
    const packet = isRequest ? { ...call, id: '0' } : { ...call };
    return deserializer.deserialize(packet, { channel: call.pattern });
  }

  /** The handler and the context are given the same route, whatever kind of pattern a deserializer returned. */
  #routed(call: Call): Call {
    const pattern: MsPattern | undefined = checkDeserialized(call).pattern;
    if (typeof pattern === 'string' || pattern === undefined) return call;
    return { ...call, pattern: this.#options.host.toRoute(pattern) };
  }

  #runRequest(arrival: Arrival, call: Call, timeoutMs: number, answer: Answer): void {
    const { stream } = arrival;
    if (!this.streams.isRunning(stream)) return; // cancelled while it was deserialized
    const handler = this.#options.host.findHandler(call.pattern);
    if (handler === null) {
      answer.error(NO_MESSAGE_HANDLER, true);
      return;
    }
    const leftMs = timeoutMs > 0 ? stream.firstFrameMs + timeoutMs - clock.nowMs() : Infinity;
    if (leftMs <= 0) {
      answer.fail('ERR_REQUEST_TIMEOUT');
      return;
    }
    if (this.#isFull || this.#options.host.places.isFull) {
      answer.fail('ERR_OVERLOADED');
      return;
    }
    this.#execute(arrival, handler, call, answer, this.#expireIn(leftMs, stream, answer));
  }

  #expireIn(leftMs: number, stream: ServerStream, answer: Answer): Deadline | undefined {
    if (leftMs === Infinity) return undefined;
    const expire = (): void => {
      answer.fail('ERR_REQUEST_TIMEOUT');
      this.cancelled(stream);
    };
    return new Deadline(leftMs, expire);
  }

  #runEvent(arrival: Arrival, sequence: number, call: Call): void {
    const { stream } = arrival;
    const { host, window } = this.#options;
    if (!this.streams.isRunning(stream)) return; // its connection ended while it was deserialized
    const handler = host.findHandler(call.pattern);
    if (handler === null) {
      host.failures.noEventHandler(call.pattern);
      this.#acknowledge(stream);
      return;
    }
    const handOver = (): void => {
      // Noted now and not before: an event that was not handed over may come again.
      const sink = eventSink((error) => host.eventFailed(error, call.pattern));
      if (window.admit(sequence)) this.#execute(arrival, handler, call, sink);
      this.#acknowledge(stream);
    };
    this.#deferred.set(stream, () => arrival.runInAsyncScope(handOver)); // it may be the end of another message that runs it
    this.runWaiting();
  }

  #execute(
    arrival: Arrival,
    handler: MessageHandler,
    { pattern, metadata, data }: Call,
    sink: ResultSink,
    deadline?: Deadline,
  ): void {
    const { host, peer } = this.#options;
    const { stream, record } = arrival;
    const context = new SealwireContext({ peer, pattern, metadata, record });
    const settled = (): void => {
      deadline?.clear();
      this.#work.delete(stream);
      this.#running -= 1;
      host.places.release();
      this.runWaiting();
    };
    const execution = new Execution({ handler, data, context, sink, settled, hooks: host.hooks });
    this.#running += 1;
    host.places.take();
    this.#work.set(stream, { arrival, execution, deadline, pattern });
    void execution.start();
  }

  get #isFull(): boolean {
    return this.#running >= this.#options.limits.maxRunning;
  }

  #forgetDeferred(stream: ServerStream): void {
    if (this.#deferred.delete(stream) && this.#deferred.size === 0) this.#options.host.places.forget(this);
  }

  #acknowledge(stream: ServerStream): void {
    this.streams.acknowledge(stream);
    this.flush();
  }
}
