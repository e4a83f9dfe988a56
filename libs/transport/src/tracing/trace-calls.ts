import { context, propagation, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Context, Span, TextMapGetter, Tracer, TracerProvider } from '@opentelemetry/api';
import { ObservedCall } from '@sealwire/channel/internal';

import { SIDES } from '../diagnostics.js';
import type { BrokerCall, CallMessage, Side } from '../diagnostics.js';
import { Subscriptions } from '../subscriptions.js';
import { beginSpan, endAttributes } from './conventions.js';

/** The options for making spans. */
export interface TracingOptions {
  /** The provider of the tracer. Default: the global one of the OpenTelemetry API. */
  readonly tracerProvider?: TracerProvider;
}

type Call = CallMessage | BrokerCall;

/**
 * Makes spans for all calls of clients and all handlers of servers of this process, on the channel and through brokers
 * (docs/operations.md). The trace context of a client travels in the metadata of its call, or, through a broker, in the
 * sealed headers of the message. The global propagator determines the form of the context, usually W3C `traceparent`.
 * The handler runs in the context of the server's span. Call this function once, before the first call of a client or
 * server.
 *
 * @returns A function that ends the tracing.
 */
export function traceCalls({ tracerProvider = trace }: TracingOptions = {}): () => void {
  const tracer = tracerProvider.getTracer('@sealwire/transport');
  const spans = new WeakMap<Call, Span>();
  const subscriptions = new Subscriptions();
  const end = (side: Side, call: Call, hasFailed: boolean): void => {
    const span = spans.get(call);
    if (span === undefined) return; // it started before the tracing
    span.setAttributes(endAttributes(side, call, hasFailed));
    if (hasFailed) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  };
  const follow = <Message extends Call>(channels: string, sideOf: (call: Message) => Side): void => {
    subscriptions.on<Message>(`${channels}:start`, (call) => spans.set(call, START[sideOf(call)](tracer, call)));
    subscriptions.on<Message>(`${channels}:end`, (call) => end(sideOf(call), call, false));
    subscriptions.on<Message>(`${channels}:failed`, (call) => end(sideOf(call), call, true));
  };
  for (const side of SIDES) follow<CallMessage>(`sealwire:${side}:call`, () => side);
  follow<BrokerCall>('sealwire:broker:call', ({ side }) => side);
  return () => subscriptions.end();
}

const START = { client: startClientSpan, server: startServerSpan };

/** Starts the span of a call in the context of the caller, and attaches that of the span to the call. */
function startClientSpan(tracer: Tracer, call: Call): Span {
  const parent = context.active();
  const span = beginSpan(tracer, 'client', call, parent);
  const entries: Record<string, string> = {};
  propagation.inject(trace.setSpan(parent, span), entries);
  ObservedCall.of(call)?.attach(entries);
  return span;
}

/** Starts the span of a handler, below that of the client if its metadata has one, and lets the handler run in it. */
function startServerSpan(tracer: Tracer, call: Call): Span {
  const parent = contextOf(ObservedCall.of(call)?.metadata);
  const span = beginSpan(tracer, 'server', call, parent);
  ObservedCall.of(call)?.surround((work) => context.with(trace.setSpan(parent, span), work));
  return span;
}

type Received = Readonly<Record<string, unknown>>;

/** Returns the context that a client has sent. The active one is not of the message, but of the start of the server. */
function contextOf(metadata: Received | undefined): Context {
  return metadata === undefined ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, metadata, RECEIVED);
}

/** W3C Trace Context, version 00. */
const TRACEPARENT_CHARACTERS = 55;
/** Of an entry of any propagator: the greatest length of W3C Baggage. */
const MAX_CHARACTERS = 8192;

/** Reads received metadata, whose values can be of any type and length. */
const RECEIVED: TextMapGetter<Received> = {
  keys: (metadata) => Object.keys(metadata),
  get: (metadata, key) => {
    const value = Object.hasOwn(metadata, key) ? metadata[key] : undefined;
    if (typeof value !== 'string' || value.length > MAX_CHARACTERS) return undefined;
    return key === 'traceparent' && value.length !== TRACEPARENT_CHARACTERS ? undefined : value;
  },
};
