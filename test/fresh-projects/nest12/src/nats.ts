// The NATS library is found. There is no broker, so the connection is refused.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { SealedNatsClient } from '@sealwire/brokers';

const seal = { keyFile: 'aes_key.bin', service: 'sums' };
const client = new SealedNatsClient({ servers: 'nats://127.0.0.1:1', seal });
await assert.rejects(client.connect(), { message: /refused/i });
