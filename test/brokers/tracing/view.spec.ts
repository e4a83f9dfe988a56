// What a broker, or a client of it without the key, sees of a trace.
import { SpanKind } from '@opentelemetry/api';
import { Logger } from '@nestjs/common';
import type { SealedContext, SealOptions } from '@sealwire/brokers';
import { lastValueFrom, of, retry, timeout } from 'rxjs';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { collectSpans, spanOf, traceUntilFinished } from '../../support/spans.js';
import { sealing } from '../conformance/sealed.js';
import { isMissing, skipNote } from '../engines/engine.js';
import { listening } from '../hostile/hostile-broker.js';
import type { HostileBroker } from '../hostile/hostile-broker.js';
import { HOSTILE_KAFKA } from '../hostile/kafka.js';
import { HOSTILE_MQTT } from '../hostile/mqtt.js';
import { HOSTILE_NATS } from '../hostile/nats.js';
import { HOSTILE_RABBITMQ } from '../hostile/rabbitmq.js';
import { HOSTILE_REDIS } from '../hostile/redis.js';
import { ECHO } from '../hostile/suite.js';

const ATTEMPT = { count: 60, delay: 100 };
const ATTEMPT_MS = 2000;

/** Resolves with the trace id of a request, and with all that a stranger has seen of it. */
async function traceSeen(broker: HostileBroker, options: Partial<SealOptions>) {
  const seal = { ...sealing(), ...options };
  const running = await broker.start();
  onTestFinished(() => running.stop());
  const envelopes: string[] = [];
  const echo = (data: unknown, context: SealedContext) => {
    envelopes.push(Buffer.from(context.getEnvelope()).toString());
    return Promise.resolve(of(data));
  };
  const server = await listening(running.createServer(seal), { [ECHO]: echo });
  onTestFinished(() => void server.close());
  const client = running.createClient(seal);
  onTestFinished(() => client.close());
  await lastValueFrom(client.send(ECHO, 0).pipe(timeout(ATTEMPT_MS), retry(ATTEMPT)));
  const stranger = await running.stranger();
  onTestFinished(() => stranger.close());
  const seen: string[] = [];
  await stranger.watch(({ data, beside = '' }) => seen.push(`${Buffer.from(data).toString()} ${beside}`));
  traceUntilFinished();
  await lastValueFrom(client.send(ECHO, 1));
  const [ofClient, ofServer] = [await spanOf(SpanKind.CLIENT), await spanOf(SpanKind.SERVER)];
  expect(ofServer.parentSpanContext?.spanId).toBe(ofClient.spanContext().spanId);
  const ofRequest = (text: string): boolean => text.startsWith(envelopes.at(-1) ?? 'none');
  await expect.poll(() => seen.some(ofRequest)).toBe(true);
  return { traceId: ofClient.spanContext().traceId, seen: seen.join('\n') };
}

collectSpans();

beforeAll(() => void Logger.overrideLogger(false));

for (const broker of [HOSTILE_NATS, HOSTILE_REDIS, HOSTILE_MQTT, HOSTILE_KAFKA, HOSTILE_RABBITMQ]) {
  describe.skipIf(isMissing(broker.kind))(`A trace through ${broker.name}${skipNote(broker.kind)}`, () => {
    it('is not shown to the broker', async () => {
      const { traceId, seen } = await traceSeen(broker, {});
      expect(seen).not.toContain(traceId);
      expect(seen).not.toContain('traceparent');
    });

    const without = broker === HOSTILE_REDIS ? ' (skipped: Redis has no headers)' : '';
    it.skipIf(without !== '')(`is also shown to the broker with the option traceparent${without}`, async () => {
      const { traceId, seen } = await traceSeen(broker, { traceparent: true });
      expect(seen).toContain(traceId);
    });
  });
}
