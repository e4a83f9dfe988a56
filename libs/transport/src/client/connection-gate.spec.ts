import type { Links } from '@sealwire/channel/internal';
import { Observable } from 'rxjs';
import { expect, it } from 'vitest';

import { ConnectionGate } from './connection-gate.js';

it('a call does not start if the connections close between the end of its wait and its start', async () => {
  const links = { closes: 0, pick: () => undefined };
  const gate = new ConnectionGate(links as unknown as Links, () => Promise.resolve()); // no more of them is looked at
  const started: string[] = [];
  const errors: unknown[] = [];
  const event = gate
    .runEvent(() => Promise.resolve(started.push('event')))
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
