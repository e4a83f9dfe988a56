import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { SealwireContext, SealwireRecordBuilder } from '@sealwire/transport';
import { concat, firstValueFrom, NEVER, of, take } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

import { all, arrived, outcome, startApplication } from '../support/application.js';
import { endAll, portOf } from '../support/pair.js';
import { collectSpans, endedSpans, spanOf, tracer, traceUntilFinished } from '../support/spans.js';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';

@Controller()
class CallController {
  @MessagePattern('metadata')
  metadata(@Ctx() received: SealwireContext): unknown {
    return received.getMetadata() ?? 'none';
  }

  @MessagePattern('current')
  async current(): Promise<string> {
    await Promise.resolve();
    return trace.getActiveSpan()?.spanContext().spanId ?? 'none';
  }

  @MessagePattern('three')
  async *three(): AsyncGenerator<string | undefined> {
    for (let index = 0; index < 3; index += 1) yield trace.getActiveSpan()?.spanContext().spanId;
  }

  @MessagePattern('endless')
  endless(): Observable<number> {
    return concat(of(1), NEVER);
  }

  @MessagePattern('refuse')
  refuse(): never {
    throw new RpcException('a private reason');
  }

  @EventPattern('noted')
  noted(@Payload() _value: unknown): void {}
}

const controllers = [CallController];

collectSpans();
afterEach(() => endAll());

/** Calls the handler `current` with this metadata; returns the span of the server. */
async function serverSpanOf(metadata: Readonly<Record<string, unknown>>): Promise<ReadableSpan> {
  traceUntilFinished();
  const { client } = await startApplication({ controllers });
  const record = new SealwireRecordBuilder(1).setMetadata(metadata as Record<string, string>).build();
  await outcome(client.send('current', record));
  return spanOf(SpanKind.SERVER);
}

describe('the spans of a request', () => {
  it('are one of the client, below the span of its caller, and one of the server below that', async () => {
    traceUntilFinished();
    const { client, server } = await startApplication({ controllers });
    const caller = tracer.startSpan('caller');
    await context.with(trace.setSpan(context.active(), caller), () => outcome(client.send('current', 1)));
    caller.end();
    const [ofClient, ofServer] = [await spanOf(SpanKind.CLIENT), await spanOf(SpanKind.SERVER)];
    expect(ofClient.parentSpanContext?.spanId).toBe(caller.spanContext().spanId);
    expect(ofServer.parentSpanContext).toMatchObject({ spanId: ofClient.spanContext().spanId, isRemote: true });
    expect(ofServer.spanContext().traceId).toBe(caller.spanContext().traceId);
    for (const span of [ofClient, ofServer]) {
      expect(span.name).toBe('current');
      expect(span.attributes).toMatchObject({ 'rpc.system.name': 'sealwire', 'rpc.method': 'current' });
      expect(span.status.code).toBe(SpanStatusCode.UNSET);
    }
    expect(ofClient.attributes).toMatchObject({ 'server.address': '127.0.0.1', 'server.port': portOf(server) });
  });

  it('let the handler run in the span of the server', async () => {
    traceUntilFinished();
    const { client } = await startApplication({ controllers });
    const spanId = await outcome(client.send('current', 1));
    expect((await spanOf(SpanKind.SERVER)).spanContext().spanId).toBe(spanId);
  });

  it('cover the whole of a stream, whose source runs in the span of the server', async () => {
    traceUntilFinished();
    const { client } = await startApplication({ controllers });
    const spanIds = await all(client.send('three', 1));
    const { spanId } = (await spanOf(SpanKind.SERVER)).spanContext();
    expect(spanIds).toEqual([spanId, spanId, spanId]);
    expect((await spanOf(SpanKind.CLIENT)).status.code).toBe(SpanStatusCode.UNSET);
  });

  it('have the status ERROR if the handler fails, and no text of the error', async () => {
    traceUntilFinished();
    const { client } = await startApplication({ controllers });
    await outcome(client.send('refuse', 1));
    for (const kind of [SpanKind.CLIENT, SpanKind.SERVER]) {
      const span = await spanOf(kind);
      expect(span.status).toEqual({ code: SpanStatusCode.ERROR });
      expect(span.attributes).toMatchObject({ 'error.type': '_OTHER' });
      expect(JSON.stringify([span.attributes, span.events])).not.toContain('private');
    }
  });

  it('have the code of a failure of the transport', async () => {
    traceUntilFinished();
    const { app, client } = await startApplication({ controllers });
    await app.close();
    await outcome(client.send('current', 1));
    const { attributes, status } = await spanOf(SpanKind.CLIENT);
    expect(status.code).toBe(SpanStatusCode.ERROR);
    expect(attributes).toMatchObject({
      'error.type': 'ERR_CONNECT_FAILED',
      'rpc.response.status_code': 'ERR_CONNECT_FAILED',
    });
  });

  it('end without an error if the caller cancels', async () => {
    traceUntilFinished();
    const { client } = await startApplication({ controllers });
    await firstValueFrom(client.send('endless', 1).pipe(take(1)));
    for (const kind of [SpanKind.CLIENT, SpanKind.SERVER]) {
      const { attributes, status } = await spanOf(kind);
      expect(status.code).toBe(SpanStatusCode.UNSET);
      expect(attributes).toMatchObject({ 'sealwire.cancelled': true });
    }
  });
});

describe('the spans of an event', () => {
  it('are one of the producer, and one of the consumer below it', async () => {
    traceUntilFinished();
    const { client } = await startApplication({ controllers });
    await arrived(client.emit('noted', 1));
    const [producer, consumer] = [await spanOf(SpanKind.PRODUCER), await spanOf(SpanKind.CONSUMER)];
    expect(consumer.parentSpanContext?.spanId).toBe(producer.spanContext().spanId);
    expect(producer.name).toBe('send noted');
    expect(consumer.name).toBe('process noted');
    expect(producer.attributes).toMatchObject({ 'messaging.operation.type': 'send' });
    for (const { attributes } of [producer, consumer]) {
      expect(attributes).toMatchObject({ 'messaging.system': 'sealwire', 'messaging.destination.name': 'noted' });
    }
  });
});

describe('the metadata of a call', () => {
  it('contain traceparent next to the entries of the caller', async () => {
    traceUntilFinished();
    const { client } = await startApplication({ controllers });
    const record = new SealwireRecordBuilder(1).setMetadata({ tenant: 'a' }).build();
    const metadata = await outcome(client.send('metadata', record));
    const { traceId, spanId } = (await spanOf(SpanKind.CLIENT)).spanContext();
    expect(metadata).toEqual({ tenant: 'a', traceparent: `00-${traceId}-${spanId}-01` });
  });

  it('keep a traceparent that the caller has set', async () => {
    const traceparent = `00-${TRACE_ID}-${SPAN_ID}-01`;
    const { parentSpanContext } = await serverSpanOf({ traceparent });
    expect(parentSpanContext).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID });
  });

  it('are left as they are without tracing, and after its end', async () => {
    traceUntilFinished()();
    const { client } = await startApplication({ controllers });
    expect(await outcome(client.send('metadata', 1))).toBe('none');
    expect(await outcome(client.send('current', 1))).toBe('none');
    expect(endedSpans()).toEqual([]);
  });
});

describe('a malformed traceparent', () => {
  it.each([
    ['an empty text', ''],
    ['another text', 'not a traceparent'],
    ['ids of zeros', `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`],
    ['a long text', 'f'.repeat(20_000)],
    ['one with 57 characters, as later versions may have', `01-${TRACE_ID}-${SPAN_ID}-01-x`],
    ['a number', 5],
    ['an object', { toString: 1 }],
    ['a list', [`00-${TRACE_ID}-${SPAN_ID}-01`]],
    ['null', null],
  ])('is ignored: %s', async (_, traceparent) => {
    const span = await serverSpanOf({ traceparent, tracestate: traceparent });
    expect(span.parentSpanContext).toBeUndefined();
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
  });
});
