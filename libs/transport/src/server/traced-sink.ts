import { CallTrace } from '../diagnostics.js';
import { isKeyRefusal } from '../guard/key-refusal.js';
import type { ResultSink } from '../handler/result-sink.js';
import type { Call } from '../packet/message.js';
import type { MessageScope } from './message-scope.js';

/** Publishes the execution of one handler to node:diagnostics_channel, and passes its results on. */
export class TracedSink implements ResultSink {
  readonly #sink: ResultSink;
  readonly #scope: MessageScope;
  readonly #trace: CallTrace;
  #failure: { readonly error: unknown } | undefined;
  #hasResult = false;

  private constructor(sink: ResultSink, scope: MessageScope, trace: CallTrace) {
    this.#sink = sink;
    this.#scope = scope;
    this.#trace = trace;
  }

  /** Creates a sink; returns undefined if the calls of servers have no subscriber. */
  static of(sink: ResultSink, { pattern, metadata }: Call, scope: MessageScope): TracedSink | undefined {
    const kind = scope.stream.kind === 'REQUEST' ? 'request' : 'event';
    const trace = CallTrace.start('server', kind, pattern, String, metadata);
    trace?.addRequest(scope.messageBytes);
    return trace && new TracedSink(sink, scope, trace);
  }

  /** Runs the handler as the subscribers want it, for example in the context of a span. */
  run<T>(work: () => T): T {
    return this.#trace.run(work);
  }

  only(value: unknown): void {
    this.#hasResult = true;
    this.#sink.only(value);
  }

  next(value: unknown): void {
    this.#sink.next(value);
  }

  whenWritable(): Promise<void> | undefined {
    return this.#sink.whenWritable();
  }

  complete(): void {
    this.#hasResult = true;
    this.#sink.complete();
  }

  error(error: unknown, isFiltered: boolean): void {
    this.#failure ??= { error: isKeyRefusal(error) ? error.failure : error };
    this.#sink.error(error, isFiltered);
  }

  /** Ends the trace, because the handler has ended. */
  settle(): void {
    this.#trace.addAnswer(this.#scope.stream.answerBytes);
    if (this.#failure !== undefined) this.#trace.fail(this.#failure.error);
    else if (this.#hasResult) this.#trace.end();
    else this.#trace.cancel();
  }
}
