import { lastValueFrom } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

import { FakeClock } from '../support/fake-clock.js';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';

afterEach(endAll);

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await turn();
}

describe('a process that stalls for longer than a deadline', () => {
  it.each(Array.from({ length: 10 }, (_, at) => at))('connects and answers, stalled after %i turns', async (at) => {
    const time = FakeClock.install();
    const client = newClient(portOf(await startServer()));
    const answer = lastValueFrom(client.send('echo', 1));
    await turns(at);
    time.stall(20_000);
    expect(await answer).toBe(1);
  });

  it.each([0, 1, 2, 3])('answers calls in progress, stalled after %i turns', async (at) => {
    const time = FakeClock.install();
    const client = newClient(portOf(await startServer()), { requestTimeoutMs: 300 });
    await client.connect();
    const answer = lastValueFrom(client.send('echo', 1));
    await turns(at);
    time.stall(500);
    expect(await answer).toBe(1);
  });

  it.each([0, 2, 4, 6, 8])('answers a first call with a deadline, stalled after %i turns', async (at) => {
    const time = FakeClock.install();
    const client = newClient(portOf(await startServer()), {
      requestTimeoutMs: 300,
      timeouts: { waitForConnectionMs: 300 },
    });
    const answer = lastValueFrom(client.send('echo', 1));
    await turns(at);
    time.stall(500);
    expect(await answer).toBe(1);
  });
});
