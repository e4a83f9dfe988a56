// A server whose drain is over answers every stream that is still open before it sends CLOSE (docs/protocol.md §5.8).
import type { MessageHandler } from '@nestjs/microservices';
import { of } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { outcome } from '../support/application.js';
import { endAll, newClient, portOf, startServer } from '../support/pair.js';

afterEach(() => endAll());

const never = (): Promise<never> => new Promise(() => undefined);

function codesOf(calls: Promise<unknown>[]): Promise<unknown[]> {
  return Promise.all(calls.map(async (call) => Reflect.get(Object(await call), 'code')));
}

describe('a server whose drain is over', () => {
  it.each([1, 16, 20, 33, 100, 1_000])('answers each of %i running requests before it closes', async (count) => {
    const server = await startServer();
    server.addHandler('never', never);
    const client = newClient(portOf(server));
    await client.connect();
    const calls = Array.from({ length: count }, (_, number) => outcome(client.send('never', number)));
    await client.ping();
    await expect.poll(() => server.snapshot().running).toBe(count);
    await server.close();
    const codes = await codesOf(calls);
    expect(codes.filter((code) => code !== 'ERR_STREAM_CUT')).toEqual([]);
  });

  it.each([
    ['one value', () => Promise.resolve('x')],
    ['an observable', () => of('x')],
    ['a failure', () => Promise.reject(new Error('x'))],
  ])('cuts a request whose handler has ended with %s that is still being serialized [R6.35]', async (_what, answer) => {
    const serialize = vi.fn<() => Promise<never>>(never);
    const server = await startServer({ serializer: { serialize } });
    const port = portOf(server);
    let runs = 0;
    const run = (): unknown => {
      runs += 1;
      return answer();
    };
    server.addHandler('count', run as MessageHandler);
    const client = newClient(port, { timeouts: { waitForConnectionMs: 60_000 } });
    const call = outcome(client.send('count', 0));
    await vi.waitUntil(() => serialize.mock.calls.length > 0);
    await server.close();
    const next = await startServer({ port });
    next.addHandler('count', run as MessageHandler);
    expect(await call).toMatchObject({ code: 'ERR_STREAM_CUT', sent: true });
    expect(runs).toBe(1);
  });

  it('refuses each of 200 events that wait for a place', async () => {
    const server = await startServer({ limits: { maxRunning: 1 } });
    server.addHandler('never', never, true);
    const client = newClient(portOf(server));
    await client.connect();
    const events = Array.from({ length: 201 }, (_, number) => outcome(client.emit('never', number)));
    await client.ping();
    await expect.poll(() => client.snapshot().inFlight).toBe(200);
    await server.close();
    const errors = await Promise.all(events);
    // The refused ones look for another server, and there is none.
    const moved = { code: 'ERR_CONNECT_FAILED', sent: false };
    expect(errors.slice(1)).toEqual(errors.slice(1).map(() => expect.objectContaining(moved) as unknown));
  });
});
