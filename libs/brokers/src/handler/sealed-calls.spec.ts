import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import type { MessageHandler } from '@nestjs/microservices';
import { generateKey, SecretKey } from '@sealwire/crypto';
import { expect, it, onTestFinished } from 'vitest';

import type { BrokerCallMessage } from '../call-trace.js';
import { SealedCalls } from './sealed-calls.js';
import type { SealedCall } from './sealed-calls.js';

const key = SecretKey.fromBytes(generateKey());
const ENDED = 'sealwire:broker:call:end';

function callOf(subject: string): SealedCall {
  const rest = { envelope: Buffer.from('sealed'), headers: undefined, isRequest: false, refusal: undefined };
  return { key, id: `${key.id}.sender.1`, pattern: subject, destination: subject, ...rest };
}

it.each([
  ['text without wildcards', 'orders.1', 'orders.1', 'orders.1'],
  ['text with a wildcard, for which Nest asks', 'orders.*', 'orders.*', 'orders.*'],
  ['text with a wildcard, if Nest asks for the subject', 'orders.*', 'orders.1', 'orders.*'],
  ['regular expression', /^orders\./, 'orders.1', '/^orders\\./'],
])('a call has the pattern of its handler: a %s', async (_, registered, asked, expected) => {
  const ended: BrokerCallMessage[] = [];
  const note = (message: unknown): void => void ended.push(message as BrokerCallMessage);
  subscribe(ENDED, note);
  onTestFinished(() => void unsubscribe(ENDED, note));
  const handler: MessageHandler = () => Promise.resolve(undefined);
  const other: MessageHandler = () => Promise.resolve(undefined);
  const handlers = new Map<unknown, MessageHandler>([
    ['invoices.*', other],
    [registered, handler],
  ]);
  const calls = new SealedCalls({ scheme: 'nats', forbid: () => undefined });
  await calls.run(callOf('orders.1'), () => calls.handlerOf(asked, handler, handlers)?.(undefined, {}));
  expect(ended).toMatchObject([{ pattern: expected, destination: 'orders.1' }]);
});
