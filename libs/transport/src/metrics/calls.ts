import { SIDES } from '../diagnostics.js';
import type { BrokerCall, CallMessage, Side } from '../diagnostics.js';
import type { MetricSet } from './metric-set.js';
import type { PatternLabels } from './pattern-labels.js';

/** From a call on one machine to one that waits for a slow handler. */
const BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

type Call = CallMessage | BrokerCall;

/** Keeps the metrics of requests and events. */
export function collectCalls(metrics: MetricSet, patterns: Readonly<Record<Side, PatternLabels>>): void {
  const calls = metrics.counter({
    name: 'sealwire_calls_total',
    help: 'Requests and events that have ended. outcome: ok, cancelled, error (of the application), or a code.',
    labelNames: ['side', 'kind', 'pattern', 'outcome'],
  });
  const durations = metrics.histogram({
    name: 'sealwire_call_duration_seconds',
    help: 'The time from the start of a request or event to its end.',
    labelNames: ['side', 'kind', 'pattern'],
    buckets: BUCKETS_SECONDS,
  });
  const retries = metrics.counter({
    name: 'sealwire_call_retries_total',
    help: 'Retries of client calls: attempts after the first one of each call.',
  });
  const inFlight = collectInFlight(metrics);
  const note = (side: Side, call: Call, outcome: string): void => {
    const { kind, pattern, durationMs = 0 } = call;
    inFlight[side].delete(call);
    // A server publishes patterns of its handlers only. A client may send any, so a failure is not enough for a label.
    const label = patterns[side].labelOf(pattern, side === 'server' || outcome === 'ok');
    calls.inc({ side, kind, pattern: label, outcome });
    durations.observe({ side, kind, pattern: label }, durationMs / 1_000);
    if ('attempts' in call && call.attempts > 1) retries.inc(call.attempts - 1);
  };
  for (const side of SIDES) {
    metrics.on<CallMessage>(`sealwire:${side}:call:start`, (call) => inFlight[side].add(call));
    metrics.on<CallMessage>(`sealwire:${side}:call:end`, (call) => note(side, call, outcomeOf(call)));
    metrics.on<CallMessage>(`sealwire:${side}:call:failed`, (call) => note(side, call, call.code ?? 'error'));
  }
  metrics.on<BrokerCall>('sealwire:broker:call:start', (call) => inFlight[call.side].add(call));
  metrics.on<BrokerCall>('sealwire:broker:call:end', (call) => note(call.side, call, outcomeOf(call)));
  metrics.on<BrokerCall>('sealwire:broker:call:failed', (call) => note(call.side, call, call.code ?? 'error'));
}

function outcomeOf({ isCancelled }: Call): string {
  return isCancelled ? 'cancelled' : 'ok';
}

function collectInFlight(metrics: MetricSet): Readonly<Record<Side, Set<Call>>> {
  const inFlight = { client: new Set<Call>(), server: new Set<Call>() };
  metrics.gauge({
    name: 'sealwire_calls_in_flight',
    help: 'Client calls that have not ended, and server handlers that are running.',
    labelNames: ['side'],
    collect() {
      for (const side of SIDES) this.set({ side }, inFlight[side].size);
    },
  });
  metrics.gauge({
    name: 'sealwire_calls_waiting',
    help: 'Client calls in flight that are waiting for a connection to a server.',
    collect() {
      this.set([...inFlight.client].filter((call) => 'server' in call && call.server === undefined).length);
    },
  });
  return inFlight;
}
