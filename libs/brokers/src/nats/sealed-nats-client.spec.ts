import { Logger } from '@nestjs/common';
import { ClientNats } from '@nestjs/microservices';
import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import { lastValueFrom } from 'rxjs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { attachUntilFinished } from '../../../../test/support/attached-headers.js';
import { FakeNats } from '../../../../test/support/fake-nats.js';
import { SealedNatsClient } from './sealed-nats-client.js';

let broker: FakeNats;

beforeEach(() => {
  broker = new FakeNats();
  vi.spyOn(ClientNats.prototype, 'createClient').mockResolvedValue(broker);
  vi.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
});

afterEach(() => void vi.restoreAllMocks());

it.each([
  ['orders.created', ['Sealwire-Headers', 'traceparent']],
  ['$JS.API.INFO', []],
  ['$KV.orders.1', []],
  ['$SYS.REQ.SERVER.PING', []],
])('an event for %s shows the broker these headers of a trace: %j', async (subject, expected) => {
  attachUntilFinished({ traceparent: '00-1', baggage: 'tenant=7' });
  const keyring = Keyring.of(SecretKey.fromBytes(generateKey()));
  const client = new SealedNatsClient({ seal: { keyring, service: 'orders', traceparent: true } });
  await lastValueFrom(client.emit(subject, 1), { defaultValue: undefined });
  await client.close();
  expect(broker.published.map(({ headers }) => headers?.keys() ?? [])).toEqual([expected]);
});
