// A server and a client with real sockets: a message, a stream, an event, a call of the command line, and the metrics.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { SealwireServer } from '@sealwire/transport';
import { collectMetrics } from '@sealwire/transport/metrics';
import { traceCalls } from '@sealwire/transport/tracing';
import { register } from 'prom-client';
import { Caller, CallerModule, SumsController, SumsModule } from './sums.js';

const keyFile = 'aes_key.bin';
collectMetrics();
traceCalls();

const strategy = new SealwireServer({ port: 0, keyFile });
const server = await NestFactory.createMicroservice<MicroserviceOptions>(SumsModule, { strategy, logger: ['error'] });
await server.listen();
const { port } = strategy.unwrap().address() as AddressInfo;

const client = await NestFactory.createApplicationContext(CallerModule.with({ port, keyFile }), { logger: ['error'] });
const caller = client.get(Caller);
assert.equal(await caller.sum([1, 2, 3]), 6);
assert.deepEqual(await caller.count(3), [1, 2, 3]);
await caller.note('an event');
assert.deepEqual(server.get(SumsController).notes, ['an event']);
await client.close();

const command = ['send', `127.0.0.1:${port}`, 'sum', '[1, 2]', '--key', keyFile, '--json'];
const { stdout } = await promisify(execFile)('node_modules/.bin/sealwire', command);
assert.equal((JSON.parse(stdout) as { answer: unknown }).answer, 3);
await server.close();

const metrics = await register.metrics();
for (const pattern of ['sum', 'count', 'noted'])
  assert.match(metrics, new RegExp(`^sealwire_.*pattern="${pattern}"`, 'm'));
