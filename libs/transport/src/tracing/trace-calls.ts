import { context, propagation, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Context, Span, TextMapGetter, Tracer, TracerProvider } from '@opentelemetry/api';

import { CallTrace } from '../diagnostics.js';
import type { CallMessage } from '../diagnostics.js';
import type { Metadata } from '../packet/message.js';
import { Subscriptions } from '../subscriptions.js';
import { beginSpan, endAttributes } from './conventions.js';
import type { Side } from './conventions.js';

/** The options for making spans. */
export interface TracingOptions {
  /** The provider of the tracer. Default: the global one of the OpenTelemetry API. */
  readonly tracerProvider?: TracerProvider;
}

/**
 * Makes spans for all calls of clients and all handlers of servers of this process (docs/operations.md). The trace context
 * of a client travels in the metadata of its call, in the form of the global propagator, usually as W3C `traceparent`; the
 * handler runs in the context of the span of the server. Call it once, before the first call of a client or server.
 *
 * @returns A function that ends the tracing.
 */
export function traceCalls({ tracerProvider = trace }: TracingOptions = {}): () => void {
  const tracer = tracerProvider.getTracer('@sealwire/transport');
  const spans = new WeakMap<CallMessage, Span>();
  const subscriptions = new Subscriptions();
  subscriptions.on<CallMessage>('sealwire:client:call:start', (call) => spans.set(call, startClientSpan(tracer, call)));
  subscriptions.on<CallMessage>('sealwire:server:call:start', (call) => spans.set(call, startServerSpan(tracer, call)));
  const end = (side: Side, call: CallMessage, hasFailed: boolean): void => {
    const span = spans.get(call);
    if (span === undefined) return; // it started before the tracing
    span.setAttributes(endAttributes(side, call, hasFailed));
    if (hasFailed) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  };
  for (const side of ['client', 'server'] as const) {
    subscriptions.on<CallMessage>(`sealwire:${side}:call:end`, (call) => end(side, call, false));
    subscriptions.on<CallMessage>(`sealwire:${side}:call:failed`, (call) => end(side, call, true));
  }
  return () => subscriptions.end();
}

/** Starts the span of a call in the context of the caller, and attaches that of the span to the call. */
function startClientSpan(tracer: Tracer, call: CallMessage): Span {
  const parent = context.active();
  const span = beginSpan(tracer, 'client', call, parent);
  const entries: Record<string, string> = {};
  propagation.inject(trace.setSpan(parent, span), entries);
  CallTrace.of(call)?.attach(entries);
  return span;
}

/** Starts the span of a handler, below that of the client if its metadata has one, and lets the handler run in it. */
function startServerSpan(tracer: Tracer, call: CallMessage): Span {
  const parent = contextOf(CallTrace.of(call)?.metadata);
  const span = beginSpan(tracer, 'server', call, parent);
  CallTrace.of(call)?.surround((work) => context.with(trace.setSpan(parent, span), work));
  return span;
}

/** Returns the context that a client has sent. The active one is not of the message, but of the start of the server. */
function contextOf(metadata: Metadata | undefined): Context {
  return metadata === undefined ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, metadata, RECEIVED);
}

/** Reads received metadata, whose values can be of any type. */
const RECEIVED: TextMapGetter<Metadata> = {
  keys: (metadata) => Object.keys(metadata),
  get: (metadata, key) => {
    const value: unknown = Object.hasOwn(metadata, key) ? metadata[key] : undefined;
    return typeof value === 'string' ? value : undefined;
  },
};
