import type { ForbiddenMessage } from '@sealwire/channel/internal';

import type { OverloadedMessage, UnhandledMessage } from '../diagnostics.js';
import type { MetricSet } from './metric-set.js';

/** `sealwire:broker:message:refused` of @sealwire/brokers, on which this library does not depend. */
interface RefusedMessage {
  readonly side: 'client' | 'server';
  readonly reason: string;
}

/** Keeps the metrics of messages that reached no handler. Their patterns and subjects are chosen by peers, so they are not labels. */
export function collectRefusals(metrics: MetricSet): void {
  const calls = metrics.counter({
    name: 'sealwire_calls_refused_total',
    help: 'Calls that reached no handler of a server. reason: forbidden (for the key), overloaded, no_handler or unreadable.',
    labelNames: ['kind', 'reason'],
  });
  const atBrokers = metrics.counter({
    name: 'sealwire_broker_messages_refused_total',
    help: 'Messages from a broker that were refused, by reason.',
    labelNames: ['side', 'reason'],
  });
  metrics.on<ForbiddenMessage>('sealwire:server:call:forbidden', ({ kind }) => {
    calls.inc({ kind, reason: 'forbidden' });
  });
  metrics.on<OverloadedMessage>('sealwire:server:call:overloaded', ({ kind }) => {
    calls.inc({ kind, reason: 'overloaded' });
  });
  metrics.on<UnhandledMessage>('sealwire:server:call:unhandled', ({ kind, reason }) => calls.inc({ kind, reason }));
  metrics.on<RefusedMessage>('sealwire:broker:message:refused', ({ side, reason }) => atBrokers.inc({ side, reason }));
}
