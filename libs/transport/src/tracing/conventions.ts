// The names and attributes of spans, by the semantic conventions of OpenTelemetry for RPC (a request) and for messaging (an
// event). The names of the attributes are written out, because the conventions mark them as not stable yet.
import { SpanKind } from '@opentelemetry/api';
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';

import type { CallMessage } from '../diagnostics.js';

export type Side = 'client' | 'server';

const SYSTEM = 'sealwire';
/** The value of the conventions for anything without a name. */
const OTHER = '_OTHER';
/** `host:port` or `host:port (address)`, with brackets around an IPv6 address. */
const ADDRESS = /^\[?(.*?)\]?:(\d+)(?: \((.*)\))?$/;

/** Starts a span with the attributes that are known now, on which samplers decide. */
export function beginSpan(tracer: Tracer, side: Side, call: CallMessage, parent: Context): Span {
  const { kind, pattern = OTHER } = call;
  if (kind === 'request') {
    const attributes = { 'rpc.system.name': SYSTEM, 'rpc.method': pattern };
    return tracer.startSpan(
      pattern,
      { kind: side === 'client' ? SpanKind.CLIENT : SpanKind.SERVER, attributes },
      parent,
    );
  }
  const operation = side === 'client' ? 'send' : 'process';
  const attributes = {
    'messaging.system': SYSTEM,
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.destination.name': pattern,
  };
  const spanKind = side === 'client' ? SpanKind.PRODUCER : SpanKind.CONSUMER;
  return tracer.startSpan(`${operation} ${pattern}`, { kind: spanKind, attributes }, parent);
}

/** Returns the attributes that are known at the end. No text of an error is among them: it may quote the payload. */
export function endAttributes(side: Side, call: CallMessage, hasFailed: boolean): Attributes {
  const { kind, code, attempts, isCancelled, server } = call;
  return {
    ...(side === 'client' && server !== undefined && addressAttributes(server)),
    ...(hasFailed && { 'error.type': code ?? OTHER }),
    ...(hasFailed && kind === 'request' && code !== undefined && { 'rpc.response.status_code': code }),
    ...(attempts > 1 && { 'sealwire.attempts': attempts }),
    ...(isCancelled && { 'sealwire.cancelled': true }),
  };
}

function addressAttributes(server: string): Attributes {
  const [, host, port, peer] = ADDRESS.exec(server) ?? [];
  if (host === undefined) return { 'server.address': server }; // the path of a socket
  return {
    'server.address': host,
    'server.port': Number(port),
    ...(peer !== undefined && { 'network.peer.address': peer }),
  };
}
