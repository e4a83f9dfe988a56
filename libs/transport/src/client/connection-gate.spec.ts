import type { Links } from '@sealwire/channel/internal';
import { Observable } from 'rxjs';
import { expect, it } from 'vitest';

import { FakeClock } from '../../../../test/support/fake-clock.js';
import { ConnectionGate } from './connection-gate.js';

it('an event that waits for a connection fails at its timeout, and starts with the time that is left', async () => {
  const time = FakeClock.install();
  let open = (): void => undefined;
  const connect = (_kind: unknown, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      open = resolve;
      signal?.addEventListener('abort', () => reject(signal.reason));
    });
  const gate = new ConnectionGate({ closes: 0, pick: () => undefined } as unknown as Links, connect); // as below
  const lefts: (number | undefined)[] = [];
  const run = (): Promise<void> =>
    gate.runEvent({ readTimeoutMs: () => 1_000, start: (leftMs) => Promise.resolve(void lefts.push(leftMs)) });
  const inTime = run();
  await time.advanceAsync(400);
  open();
  await inTime;
  expect(lefts).toEqual([600]);
  const late = run().catch((error: unknown) => error);
  await time.advanceAsync(1_000);
  expect(await late).toMatchObject({ code: 'ERR_REQUEST_TIMEOUT', sent: false });
  expect([lefts, gate.whenEventsStarted, time.timerCount]).toEqual([[600], undefined, 0]);
});

it('a call does not start if the connections close between the end of its wait and its start', async () => {
  const links = { closes: 0, pick: () => undefined };
  const gate = new ConnectionGate(links as unknown as Links, () => Promise.resolve()); // no more of them is looked at
  const started: string[] = [];
  const errors: unknown[] = [];
  const event = gate
    .runEvent({ readTimeoutMs: () => 0, start: () => Promise.resolve(started.push('event')) })
    .catch((error: unknown) => errors.push(error));
  const start = (): (() => void) => {
    started.push('request');
    return () => undefined;
  };
  new Observable((subscriber) => gate.runRequest({ timeoutMs: 0, trace: undefined, start }, subscriber)).subscribe({
    error: (error: unknown) => void errors.push(error),
  });
  links.closes += 1;
  await event;
  const closed = { code: 'ERR_CLIENT_CLOSED', sent: false };
  await expect.poll(() => errors).toEqual([expect.objectContaining(closed), expect.objectContaining(closed)]);
  expect(started).toEqual([]);
});
