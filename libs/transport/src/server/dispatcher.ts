// Hands the messages of one connection to Nest's handlers (docs/protocol.md §6.5 to §6.7).
import type { MessageHandler, Serializer } from '@nestjs/microservices';
import type { ServerStream, StreamHandler } from '@sealwire/channel';
import { RunningInConnection, IdTable } from '@sealwire/channel/internal';
import type { Deadline, WireErrorCode } from '@sealwire/channel/internal';

import { publishCallUnhandled } from '../diagnostics.js';
import type { KeyRefusal } from '../guard/key-refusal.js';
import { SealwireContext } from '../handler/context.js';
import { Execution } from '../handler/execution.js';
import { EventSink } from '../handler/result-sink.js';
import type { ResultSink } from '../handler/result-sink.js';
import { decodeRequest } from '../packet/message.js';
import type { Call, ReceivedCall, ReceivedRequest } from '../packet/message.js';
import { SerialQueue } from '../packet/serial-queue.js';
import { WaitingMessages } from '../packet/waiting-messages.js';
import { contentCodeOf } from '../packet/wire-error.js';
import { Answer, type AnswerHost } from './answer.js';
import { DeferredEvents } from './deferred-events.js';
import { EventIntake } from './event-intake.js';
import type { DispatcherOptions } from './handler-host.js';
import { MessageScope } from './message-scope.js';
import { deserializeCall, toReceivedCall } from './received-call.js';
import { RequestDeadlines } from './request-deadlines.js';
import { TracedSink } from './traced-sink.js';

/** The answer to a request that has no handler, in Nest's words. Callers recognize it by this text only. */
export const NO_MESSAGE_HANDLER = 'There is no matching message handler defined in the remote service.';

interface Work {
  readonly scope: MessageScope;
  readonly execution: Execution;
  readonly deadline: Deadline | undefined;
  readonly pattern: string;
}

export class Dispatcher implements StreamHandler, AnswerHost {
  readonly #options: DispatcherOptions;
  readonly #order: SerialQueue;
  readonly #work = new IdTable<Work>();
  readonly #deadlines = new RequestDeadlines((stream) => this.#cut(stream, 'ERR_REQUEST_TIMEOUT'));
  readonly #deferred: DeferredEvents;
  readonly #waiting: WaitingMessages;
  readonly #limit: RunningInConnection;
  readonly #events: EventIntake;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#limit = new RunningInConnection(options.limits, options.host.runningInServer);
    this.#deferred = new DeferredEvents(this.#limit, options.host.runningInServer);
    this.#waiting = new WaitingMessages(options.limits.maxRunningBytes, options.host.waiting);
    this.#order = new SerialQueue(Infinity); // bounded by the streams in flight
    this.#events = new EventIntake({
      ...options,
      order: this.#order,
      deferred: this.#deferred,
      waitingMessages: this.#waiting,
      execute: (scope, handler, call) => this.#execute(scope, handler, call, new EventSink(options.host, call.pattern)),
    });
  }

  /** Whether no message is left: no handler runs, no event waits, and no deserializer is pending. */
  get isIdle(): boolean {
    return this.#limit.isEmpty && this.#order.whenIdle === undefined && !this.#deferred.hasWaiting;
  }

  get serializer(): Serializer | undefined {
    return this.#options.host.serializer;
  }

  handlerFailed(stream: ServerStream, error: unknown): void {
    this.#options.host.failures.handlerFailed(error, this.#work.get(stream.id)?.pattern);
  }

  handlerForbidden(stream: ServerStream, { peer }: KeyRefusal): void {
    this.#options.host.onForbidden('request', this.#work.get(stream.id)?.pattern ?? '', peer);
  }

  answerFailed(stream: ServerStream, error: unknown): void {
    this.#options.host.failures.answerFailed(error, this.#work.get(stream.id)?.pattern);
    this.onCancelled(stream);
  }

  onRequestBegun(stream: ServerStream, timeoutMs: number): void {
    this.#deadlines.startEarly(stream, timeoutMs);
  }

  onRequest(stream: ServerStream, message: Buffer): void {
    const scope = new MessageScope(stream, message.length);
    scope.runInAsyncScope(() => this.#receiveRequest(scope, message));
  }

  onEvent(stream: ServerStream, message: Buffer): void {
    const scope = new MessageScope(stream, message.length);
    scope.runInAsyncScope(() => this.#events.receive(scope, message));
  }

  #receiveRequest(scope: MessageScope, message: Buffer): void {
    const answer = new Answer(this, scope.stream);
    let request: ReceivedRequest;
    try {
      request = decodeRequest(message, this.#options.limits.maxJsonNodes);
    } catch (error) {
      this.#deadlines.clearEarly(scope.stream);
      answer.fail(contentCodeOf(error));
      publishCallUnhandled('request', 'unreadable');
      return;
    }
    if (this.#options.host.deserializer === undefined) {
      this.#runRequest(scope, request, request.timeoutMs, answer);
      return;
    }
    if (this.#waiting.isFull) {
      this.#deadlines.clearEarly(scope.stream);
      this.#refuse(answer, request.pattern);
      return;
    }
    this.#waiting.add(scope.stream, request.weight + scope.recordBytes);
    this.#deadlines.startEarly(scope.stream, request.timeoutMs);
    this.#order.run<Call>(
      () => deserializeCall(this.#options.host, request, true),
      (call) => this.#runRequest(scope, toReceivedCall(this.#options.host, call, request), request.timeoutMs, answer),
      (error) => {
        this.#waiting.remove(scope.stream);
        this.#deadlines.clearEarly(scope.stream);
        this.#options.host.failures.requestUnreadable(error); // the user's deserializer failed, or did not return a packet
        answer.fail('ERR_MESSAGE_MALFORMED');
        publishCallUnhandled('request', 'unreadable', request.pattern);
      },
    );
  }

  onNoMemory(stream: ServerStream, begun: Buffer): void {
    if (stream.kind === 'EVENT') {
      this.#events.refuseIncomplete(stream, begun);
      return;
    }
    this.#deadlines.clearEarly(stream);
    this.#refuse(new Answer(this, stream), undefined);
  }

  onShutDown(stream: ServerStream, begun: Buffer | undefined): void {
    if (stream.kind === 'EVENT') {
      this.#events.refuseLate(stream, begun);
      return;
    }
    this.#cut(stream, stream.hasBegun ? 'ERR_STREAM_CUT' : 'ERR_SHUTTING_DOWN');
  }

  onCancelled(stream: ServerStream): void {
    if (stream.kind === 'EVENT') {
      this.#events.cancelled(stream);
      return;
    }
    this.#deadlines.clearEarly(stream);
    const work = this.#work.get(stream.id);
    if (work === undefined) return;
    work.deadline?.clear();
    this.#work.delete(stream.id);
    work.scope.runInAsyncScope(() => work.execution.cancel());
  }

  /** The patterns of the requests whose handlers run. */
  get runningRequests(): readonly string[] {
    return this.#requests.map(({ pattern }) => pattern);
  }

  /** Returns whether at least one request runs, and every running request is one of `executions`. */
  runsOnly(executions: ReadonlySet<Execution>): boolean {
    const requests = this.#requests;
    return requests.length > 0 && requests.every(({ execution }) => executions.has(execution));
  }

  /** Ends the answers of many values with an error, because the server closes and they may never end. */
  endSeries(): void {
    for (const { scope, execution } of this.#requests) {
      if (execution.isSeries) this.#cut(scope.stream, 'ERR_STREAM_CUT');
    }
  }

  #runRequest(scope: MessageScope, call: ReceivedCall, timeoutMs: number, answer: Answer): void {
    const { stream } = scope;
    this.#waiting.remove(stream);
    const leftMs = this.#deadlines.takeLeftMs(stream, timeoutMs);
    if (!stream.isRunning) return; // cancelled or timed out while it was deserialized
    const { host, peer } = this.#options;
    if (!peer.allows(call.pattern)) {
      answer.fail('ERR_FORBIDDEN'); // before the look-up: the answer must not reveal whether a handler exists
      host.onForbidden('request', call.pattern, peer);
      return;
    }
    const handler = host.findHandler(call.pattern);
    if (handler === null) {
      answer.error(NO_MESSAGE_HANDLER, true);
      publishCallUnhandled('request', 'no_handler', call.pattern);
      return;
    }
    if (leftMs <= 0) {
      answer.fail('ERR_REQUEST_TIMEOUT');
      return;
    }
    if (this.#limit.isFullForRequests) {
      this.#refuse(answer, call.pattern);
      return;
    }
    this.#execute(scope, handler, call, answer, this.#deadlines.start(stream, leftMs));
  }

  #refuse(answer: Answer, pattern: string | undefined): void {
    answer.fail('ERR_OVERLOADED');
    this.#options.host.onOverloaded('request', pattern);
  }

  /** Ends the answer with an error, and cancels the handler. */
  #cut(stream: ServerStream, code: WireErrorCode): void {
    new Answer(this, stream).fail(code);
    this.onCancelled(stream);
  }

  #execute(
    scope: MessageScope,
    handler: MessageHandler,
    call: ReceivedCall,
    sink: ResultSink,
    deadline?: Deadline,
  ): void {
    const { host, peer } = this.#options;
    const { stream } = scope;
    const { pattern, metadata, data, weight } = call;
    const context = new SealwireContext({ peer, pattern, metadata, record: stream.sealedRecord });
    const bytes = weight + scope.recordBytes;
    const traced = TracedSink.of(sink, call, scope);
    const onSettled = (): void => {
      traced?.settle();
      deadline?.clear();
      this.#work.delete(stream.id);
      this.#limit.release(bytes);
      this.#deferred.runWaiting();
    };
    const execution = new Execution({ handler, data, context, sink: traced ?? sink, onSettled, hooks: host.hooks });
    this.#limit.take(bytes);
    stream.hasBegun = true;
    this.#work.set(stream.id, { scope, execution, deadline, pattern });
    void (traced === undefined ? execution.start() : traced.run(() => execution.start()));
  }

  get #requests(): readonly Work[] {
    return this.#work.entries().flatMap(([, work]) => (work.scope.stream.kind === 'REQUEST' ? [work] : []));
  }
}
