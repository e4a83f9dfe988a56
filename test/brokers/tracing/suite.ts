// The spans of calls through a broker.
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { INestMicroservice } from '@nestjs/common';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { defer, lastValueFrom, repeat, toArray } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { collectSpans, endedSpans, spanOf, tracer, traceUntilFinished } from '../../support/spans.js';
import { answered } from '../conformance/suite.js';
import type { Caller, RunningTransport, TransportUnderTest } from '../conformance/transport-under-test.js';
import { isMissing, skipNote } from '../engines/engine.js';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';

const currentSpanId = (): string => trace.getActiveSpan()?.spanContext().spanId ?? 'none';

@Controller()
class TracedController {
  @MessagePattern('conformance.sum')
  sum(): number {
    return 0;
  }

  @MessagePattern('conformance.echo')
  async current(): Promise<string> {
    await Promise.resolve();
    return currentSpanId();
  }

  @MessagePattern('conformance.count')
  three(): Observable<string> {
    return defer(() => Promise.resolve(currentSpanId())).pipe(repeat(3));
  }

  @MessagePattern('conformance.refuse')
  refuse(): never {
    throw new RpcException('a private reason');
  }

  @EventPattern('conformance.noted')
  noted(@Payload() _value: unknown): void {}
}

export interface Expected {
  /** Of the attribute `messaging.system`. */
  readonly system: string;
  /** Of the attribute `messaging.destination.name`; undefined: the pattern. */
  readonly destination?: string;
}

/** Tests that a call through a broker is one trace. */
export function isTraced(transport: TransportUnderTest, { system, destination }: Expected): void {
  describe.skipIf(isMissing(transport.kind))(`The spans of ${transport.name}${skipNote(transport.kind)}`, () => {
    const { wildcard } = transport;

    @Controller()
    class CoveredController {
      @EventPattern(wildcard?.pattern ?? 'conformance.not-used')
      covered(@Payload() _value: unknown): void {}
    }

    @Module({ controllers: [TracedController, CoveredController] })
    class TracedModule {}

    let running: RunningTransport;
    let app: INestMicroservice;
    let client: Caller;

    const without = transport.headers === undefined ? ' (skipped: the transport has no headers)' : '';
    const attributesOf = (operation: string, pattern: string) => ({
      'messaging.system': system,
      'messaging.operation.name': operation,
      'messaging.operation.type': operation,
      'messaging.destination.name': destination ?? pattern,
    });
    const outcome = (values: Observable<unknown>): Promise<unknown> =>
      lastValueFrom(values, { defaultValue: undefined }).catch((error: unknown) => error);

    collectSpans();

    beforeAll(async () => {
      running = await transport.start();
      const strategy = running.createServer();
      const options = { strategy, logger: false, abortOnError: false } as const;
      app = await NestFactory.createMicroservice<MicroserviceOptions>(TracedModule, options);
      await app.listen();
      client = running.createClient();
      await answered(client);
    });

    afterAll(async () => {
      await client.close();
      await app.close();
      await running.stop();
    });

    it('are one of the client of a request, below the span of its caller, and one of the server below that', async () => {
      traceUntilFinished();
      const caller = tracer.startSpan('caller');
      const active = trace.setSpan(context.active(), caller);
      const current = await context.with(active, () => outcome(client.send('conformance.echo', 1)));
      const [ofClient, ofServer] = [await spanOf(SpanKind.CLIENT), await spanOf(SpanKind.SERVER)];
      expect(ofClient.parentSpanContext?.spanId).toBe(caller.spanContext().spanId);
      expect(ofServer.parentSpanContext).toMatchObject({ spanId: ofClient.spanContext().spanId, isRemote: true });
      expect(ofServer.spanContext().traceId).toBe(caller.spanContext().traceId);
      expect(current).toBe(ofServer.spanContext().spanId);
      for (const { name, attributes, status } of [ofClient, ofServer]) {
        expect(name).toBe('conformance.echo');
        expect(attributes).toMatchObject({ 'rpc.system.name': 'sealwire', 'rpc.method': 'conformance.echo' });
        expect(status.code).toBe(SpanStatusCode.UNSET);
      }
      expect(ofClient.attributes).toMatchObject(attributesOf('send', 'conformance.echo'));
      expect(ofServer.attributes).toMatchObject(attributesOf('process', 'conformance.echo'));
    });

    it('are one of the producer of an event, and one of the consumer below it', async () => {
      traceUntilFinished();
      await outcome(client.emit('conformance.noted', 1));
      const [producer, consumer] = [await spanOf(SpanKind.PRODUCER), await spanOf(SpanKind.CONSUMER)];
      expect(consumer.parentSpanContext?.spanId).toBe(producer.spanContext().spanId);
      expect(producer.name).toBe('send conformance.noted');
      expect(consumer.name).toBe('process conformance.noted');
      expect(producer.attributes).toMatchObject(attributesOf('send', 'conformance.noted'));
      expect(consumer.attributes).toMatchObject(attributesOf('process', 'conformance.noted'));
    });

    it.skipIf(wildcard === undefined)('have the pattern of a handler with wildcards, and its subject', async () => {
      const { pattern, message } = wildcard ?? expect.fail();
      traceUntilFinished();
      await outcome(client.emit(message, 1));
      const { name, attributes } = await spanOf(SpanKind.CONSUMER);
      expect(name).toBe(`process ${String(pattern)}`);
      expect(attributes).toMatchObject(attributesOf('process', message));
    });

    it('belong each to its own caller if requests run at the same time', async () => {
      traceUntilFinished();
      const callers = Array.from({ length: 20 }, () => tracer.startSpan('caller'));
      const calls = callers.map((caller) =>
        context.with(trace.setSpan(context.active(), caller), () => outcome(client.send('conformance.echo', 1))),
      );
      const current = await Promise.all(calls);
      await expect.poll(() => endedSpans().filter(({ kind }) => kind === SpanKind.SERVER)).toHaveLength(20);
      const traceOf = new Map(endedSpans().map((span) => [span.spanContext().spanId, span.spanContext().traceId]));
      expect(current.map((id) => traceOf.get(String(id)))).toEqual(callers.map((one) => one.spanContext().traceId));
    });

    it('cover the whole of a stream, whose source runs in the span of the server', async () => {
      traceUntilFinished();
      const current = await outcome(client.send('conformance.count', 1).pipe(toArray()));
      const { spanId } = (await spanOf(SpanKind.SERVER)).spanContext();
      expect(current).toEqual([spanId, spanId, spanId]);
    });

    it('have the status ERROR if the handler fails, and no text of the error', async () => {
      traceUntilFinished();
      await outcome(client.send('conformance.refuse', 1));
      for (const kind of [SpanKind.CLIENT, SpanKind.SERVER]) {
        const { status, attributes, events } = await spanOf(kind);
        expect(status).toEqual({ code: SpanStatusCode.ERROR });
        expect(attributes).toMatchObject({ 'error.type': '_OTHER' });
        expect(JSON.stringify([attributes, events])).not.toContain('private');
      }
    });

    it.skipIf(transport.headers === undefined)(
      'link to a traceparent that the application has set itself',
      async () => {
        traceUntilFinished();
        const headers = { traceparent: `00-${TRACE_ID}-${SPAN_ID}-01` };
        await outcome(client.send('conformance.echo', transport.headers?.record(1, headers)));
        const { parentSpanContext } = await spanOf(SpanKind.SERVER);
        expect(parentSpanContext).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID });
      },
    );

    it.skipIf(without !== '')(`link each message to its own call if a record is sent twice${without}`, async () => {
      traceUntilFinished();
      const record = transport.headers?.record(1, { 'x-tenant': 'seven' });
      await outcome(client.send('conformance.echo', record));
      await outcome(client.send('conformance.echo', record));
      const ended = (kind: SpanKind) => endedSpans().filter((span) => span.kind === kind);
      await expect.poll(() => ended(SpanKind.SERVER)).toHaveLength(2);
      const own = ended(SpanKind.CLIENT).map((span) => span.spanContext().spanId);
      expect(ended(SpanKind.SERVER).map((span) => span.parentSpanContext?.spanId)).toEqual(own);
    });

    it.skipIf(without !== '').each([
      ['an empty text', ''],
      ['another text', 'not a traceparent'],
      ['56 characters', `00-${TRACE_ID}-${SPAN_ID}-011`],
      ['a long text', 'f'.repeat(20_000)],
    ])(
      `begin a new trace at the server if a traceparent of the application is %s${without}`,
      async (_, traceparent) => {
        traceUntilFinished();
        await outcome(client.send('conformance.echo', transport.headers?.record(1, { traceparent })));
        const { parentSpanContext, status } = await spanOf(SpanKind.SERVER);
        expect(parentSpanContext).toBeUndefined();
        expect(status.code).toBe(SpanStatusCode.UNSET);
      },
    );

    it('are not made without tracing, and after its end', async () => {
      traceUntilFinished()();
      expect(await outcome(client.send('conformance.echo', 1))).toBe('none');
      expect(endedSpans()).toEqual([]);
    });
  });
}
