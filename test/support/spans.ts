// The spans that tests make, in memory, with the context manager and the propagator that an OpenTelemetry SDK sets.
import { context, propagation } from '@opentelemetry/api';
import type { SpanKind } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { traceCalls } from '@sealwire/transport/tracing';
import { afterAll, beforeAll, beforeEach, onTestFinished, vi } from 'vitest';

const exporter = new InMemorySpanExporter();
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

/** For spans of the tests themselves. */
export const tracer = tracerProvider.getTracer('test');

/** Sets OpenTelemetry up for the tests of a file, each of which begins without spans. */
export function collectSpans(): void {
  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  });
  beforeEach(() => exporter.reset());
  afterAll(() => {
    context.disable();
    propagation.disable();
  });
}

/** Traces calls until the test has finished. Returns a function that ends this before. */
export function traceUntilFinished(): () => void {
  const end = traceCalls({ tracerProvider });
  onTestFinished(end);
  return end;
}

export function endedSpans(): readonly ReadableSpan[] {
  return exporter.getFinishedSpans();
}

/** Resolves when a span of this kind has ended. */
export function spanOf(kind: SpanKind): Promise<ReadableSpan> {
  return vi.waitFor(
    () => {
      const span = endedSpans().find((one) => one.kind === kind);
      if (span === undefined) throw new Error('No span of this kind has ended');
      return span;
    },
    { timeout: 30_000, interval: 5 },
  );
}
