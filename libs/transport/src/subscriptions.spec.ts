import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';

import { expect, it } from 'vitest';

import { Subscriptions } from './subscriptions.js';

const NAME = 'sealwire:test:subscriptions';

it('emits a warning of the process if a listener throws, and calls the listener again', async () => {
  const subscriptions = new Subscriptions();
  const received: unknown[] = [];
  subscriptions.on<number>(NAME, (message) => {
    received.push(message);
    throw new Error('a defect of the listener');
  });
  const warned = once(process, 'warning');
  channel(NAME).publish(1);
  channel(NAME).publish(2);
  subscriptions.end();
  channel(NAME).publish(3);
  expect(received).toEqual([1, 2]);
  expect(await warned).toEqual([expect.objectContaining({ message: `A listener of ${NAME} failed` })]);
  expect(channel(NAME).hasSubscribers).toBe(false);
});
