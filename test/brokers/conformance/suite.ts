// What every transport of Nest does on its broker, sealed or not.
import type { INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { lastValueFrom, retry, tap, timeout, toArray } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { isMissing, skipNote } from '../engines/engine.js';
import { handlersOf } from './handlers.js';
import type { Noted } from './handlers.js';
import type { Caller, RunningTransport, TransportUnderTest } from './transport-under-test.js';

const LARGE_CHARACTERS = 500_000; // a sealed megabyte, the limit of NATS and Kafka, holds about 750,000 bytes
const ATTEMPT_MS = 2000;
const PAUSE_MS = 100;
const ATTEMPTS = 60;

/** The last value, or what it fails with. */
function outcome(values: Observable<unknown>): Promise<unknown> {
  return lastValueFrom(values).catch((error: unknown) => error);
}

function all<T>(values: Observable<T>): Promise<T[]> {
  return lastValueFrom(values.pipe(toArray()));
}

/** The end of the name of a test: why it is skipped, if it is. */
function noteOf(reason: string | undefined): string {
  return reason === undefined ? '' : ` (skipped: ${reason})`;
}

export async function startServer(
  running: RunningTransport,
  transport: TransportUnderTest,
  noted: Noted,
): Promise<INestMicroservice> {
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(handlersOf(transport, noted), {
    strategy: running.createServer(),
    logger: false,
    abortOnError: false,
  });
  await app.listen();
  return app;
}

/** Resolves when a server answers: a broker may take the subscriptions of a server after its `listen`. */
export async function answered(client: Caller): Promise<void> {
  const call = client.send('conformance.sum', [1]).pipe(timeout(ATTEMPT_MS));
  await lastValueFrom(call.pipe(retry({ count: ATTEMPTS, delay: PAUSE_MS })));
}

/** Tests that a transport behaves as one of Nest. */
export function conforms(transport: TransportUnderTest): void {
  describe.skipIf(isMissing(transport.kind))(`${transport.name}${skipNote(transport.kind)}`, () => {
    const noted: Noted = [];
    const { wildcard, lacks = {}, headers, hasNoNumbers = false, emptyAnswer = [], unknownPattern } = transport;
    const received = (number: number): unknown => (hasNoNumbers ? String(number) : number);
    let running: RunningTransport;
    let app: INestMicroservice;
    let client: Caller;

    beforeAll(async () => {
      running = await transport.start();
      app = await startServer(running, transport, noted);
      client = running.createClient();
      await answered(client);
    });

    afterAll(async () => {
      await client.close();
      await app.close();
      await running.stop();
    });

    it('answers a request', async () => {
      expect(await all(client.send('conformance.sum', [1, 2, 3]))).toEqual([received(6)]);
    });

    it.skipIf(lacks['object patterns'])(
      `answers a request with an object as its pattern, whatever the order of its members${noteOf(lacks['object patterns'])}`,
      async () => {
        const pattern = { of: 'objects', cmd: 'conformance' };
        expect(await all(client.send(pattern, { text: 'grüß Gott' }))).toEqual([{ got: { text: 'grüß Gott' } }]);
      },
    );

    it('answers with every value of an observable, in order', async () => {
      const numbers = Array.from({ length: 500 }, (_, index) => index + 1);
      expect(await all(client.send('conformance.count', 500))).toEqual(numbers.map(received));
    });

    it.skipIf(lacks['empty answers'])(
      `answers without a value if the observable has none${noteOf(lacks['empty answers'])}`,
      async () => {
        expect(await all(client.send('conformance.nothing', 0))).toEqual(emptyAnswer);
      },
    );

    it('hides the text of an error from the caller', async () => {
      const error = { status: 'error', message: 'Internal server error' };
      expect(await outcome(client.send('conformance.fail', 0))).toEqual(error);
    });

    it('passes the content of an RpcException to the caller', async () => {
      expect(await outcome(client.send('conformance.refuse', 0))).toEqual({ code: 'NO_STOCK', left: 0 });
    });

    it('passes the values before an error of an observable to the caller', async () => {
      const values: unknown[] = [];
      const answer = client.send('conformance.break', 0).pipe(tap((value) => values.push(value)));
      expect(await outcome(answer)).toEqual({ status: 'error', message: 'No more' });
      expect(values).toEqual([1, 2].map(received));
    });

    it('passes an event to each of its handlers', async () => {
      await lastValueFrom(client.emit('conformance.noted', { number: 1 }), { defaultValue: undefined });
      await expect.poll(() => noted).toContainEqual(['first', { number: 1 }]);
      await expect.poll(() => noted).toContainEqual(['second', { number: 1 }]);
    });

    it('serves on after an event handler has failed', async () => {
      await lastValueFrom(client.emit('conformance.broken', 0), { defaultValue: undefined });
      await expect.poll(() => noted).toContainEqual(['broken', received(0)]);
      expect(await outcome(client.send('conformance.sum', [1, 1]))).toBe(received(2));
    });

    it.skipIf(wildcard === undefined)('passes a message to the handler of a wildcard', async () => {
      await lastValueFrom(client.emit(wildcard?.message ?? '', 'covered'), { defaultValue: undefined });
      await expect.poll(() => noted).toContainEqual(['covered', 'covered']);
    });

    it.skipIf(headers === undefined)('passes the headers of a record to the handler', async () => {
      const record = headers?.record('x-tenant', { 'x-tenant': 'tenant 7', 'x-other': 'ü' });
      expect(await outcome(client.send('conformance.header', record))).toEqual({ header: 'tenant 7' });
      expect(await outcome(client.send('conformance.header', 'x-tenant'))).toEqual({ header: null });
    });

    it('carries a large message in both directions', async () => {
      const text = 'x'.repeat(LARGE_CHARACTERS);
      expect(await outcome(client.send('conformance.echo', text))).toBe(text);
    });

    it.skipIf(lacks['bytes as JSON'])(`carries bytes as JSON${noteOf(lacks['bytes as JSON'])}`, async () => {
      const bytes = Buffer.of(0, 128, 255);
      expect(await outcome(client.send('conformance.echo', bytes))).toEqual(bytes.toJSON());
    });

    it.skipIf(unknownPattern === undefined)('rejects a request that no server handles', async () => {
      expect(await outcome(client.send('conformance.unknown', 0))).toMatchObject({ message: unknownPattern });
    });

    it.skipIf(transport.losesAnswers)('answers 100 concurrent requests, each with its own answer', async () => {
      const numbers = Array.from({ length: 100 }, (_, index) => index);
      const answers = await Promise.all(numbers.map((number) => outcome(client.send('conformance.echo', { number }))));
      expect(answers).toEqual(numbers.map((number) => ({ number })));
    });

    it.skipIf(transport.connectsOnce)('answers again after the client was closed', async () => {
      await client.close();
      expect(await outcome(client.send('conformance.sum', [2, 2]))).toBe(received(4));
    });

    it('answers again after a new server has started', async () => {
      await app.close();
      app = await startServer(running, transport, noted);
      await answered(client);
      expect(await outcome(client.send('conformance.sum', [3, 3]))).toBe(received(6));
    });
  });
}
