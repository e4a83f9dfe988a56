// The names and attributes of spans, by the semantic conventions of OpenTelemetry for RPC (a request) and for messaging (an
// event, and every call through a broker). The names of the attributes are written out, because the conventions mark them as
// not stable yet.
import { SpanKind } from '@opentelemetry/api';
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';

import type { BrokerCall, CallMessage, Side } from '../diagnostics.js';

const SYSTEM = 'sealwire';
/** The value of the conventions for anything without a name. */
const OTHER = '_OTHER';
/** `host:port` or `host:port (address)`, with brackets around an IPv6 address. */
const ADDRESS = /^\[?(.*?)\]?:(\d+)(?: \((.*)\))?$/;

const KINDS = {
  request: { client: SpanKind.CLIENT, server: SpanKind.SERVER },
  event: { client: SpanKind.PRODUCER, server: SpanKind.CONSUMER },
};
const OPERATIONS = { client: 'send', server: 'process' };

/** Starts a span with the attributes that are known now, on which samplers decide. */
export function beginSpan(tracer: Tracer, side: Side, call: CallMessage | BrokerCall, parent: Context): Span {
  const { kind, pattern = OTHER } = call;
  const operation = OPERATIONS[side];
  const isRequest = kind === 'request';
  const { system, destination } = 'system' in call ? call : { system: SYSTEM, destination: pattern };
  const isMessage = !isRequest || system !== SYSTEM;
  const attributes = {
    ...(isRequest && { 'rpc.system.name': SYSTEM, 'rpc.method': pattern }),
    ...(isMessage && {
      'messaging.system': system,
      'messaging.operation.name': operation,
      'messaging.operation.type': operation,
      'messaging.destination.name': destination,
    }),
  };
  const name = isRequest ? pattern : `${operation} ${pattern}`;
  return tracer.startSpan(name, { kind: KINDS[kind][side], attributes }, parent);
}

/** Returns the attributes that are known at the end. No text of an error is among them: it may quote the payload. */
export function endAttributes(side: Side, call: CallMessage | BrokerCall, hasFailed: boolean): Attributes {
  const { kind, code, isCancelled } = call;
  const { server, attempts } = 'server' in call ? call : { server: undefined, attempts: 1 };
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
