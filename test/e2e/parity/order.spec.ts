// In which order the handlers of one connection begin, and what ends them when their client is gone.
import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { SealwireContext } from '@sealwire/transport';
import { NEVER, Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { arrived, outcome, startApplication } from '../../support/application.js';
import { endAll, newClient, portOf } from '../../support/pair.js';

afterEach(() => endAll());

let seen: (number | string)[] = [];

beforeEach(() => {
  seen = [];
});

@Controller()
class OrderController {
  @MessagePattern('request')
  async request(@Payload() { number }: { number: number }): Promise<number> {
    seen.push(number);
    await new Promise((resolve) => setTimeout(resolve, (number * 7) % 5));
    return number;
  }

  @EventPattern('event')
  event(@Payload() { number }: { number: number }): void {
    seen.push(number);
  }

  @MessagePattern('observable')
  observable(): Observable<never> {
    return new Observable(() => () => seen.push('observable'));
  }

  @MessagePattern('generator')
  async *generator(): AsyncGenerator<number> {
    try {
      for (let number = 0; ; number++) {
        yield number;
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      seen.push('generator');
    }
  }

  @MessagePattern('signal')
  async signal(@Ctx() context: SealwireContext): Promise<void> {
    const signal = context.getSignal();
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    seen.push('signal');
  }

  @MessagePattern('never')
  never(): Observable<never> {
    return NEVER;
  }
}

const controllers = [OrderController];

describe('the handlers of one connection', () => {
  it('begin in the order in which requests and events of one frame each were sent', async () => {
    const { client } = await startApplication({ controllers });
    const sizes = [10, 3_000, 0, 16_000, 500];
    const numbers = Array.from({ length: 100 }, (_, number) => number);
    await client.connect();
    const calls = numbers.map((number) => {
      const message = { number, filling: 'x'.repeat(sizes[number % sizes.length] ?? 0) };
      return number % 3 === 0 ? arrived(client.emit('event', message)) : outcome(client.send('request', message));
    });
    await Promise.all(calls);
    expect(seen).toEqual(numbers);
  });

  it.each([
    ['that fail when there is no connection', 0],
    ['that wait for a connection', 5_000],
  ])(
    'begin in that order for calls %s, and for one that is made as soon as there is a connection',
    async (_what, waitMs) => {
      const { server } = await startApplication({ controllers });
      const client = newClient(portOf(server), { timeouts: { waitForConnectionMs: waitMs } });
      const call = (number: number): Promise<unknown> =>
        number % 2 === 0 ? outcome(client.send('request', { number })) : arrived(client.emit('event', { number }));
      let last: Promise<unknown> | undefined;
      client.status.subscribe(() => {
        last ??= call(8);
      });
      await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map((number) => call(number)));
      await last;
      expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    },
  );

  it('begin with the small message when a large one was sent before it', async () => {
    const { client } = await startApplication({ controllers });
    await client.connect();
    const sizes = [3_000_000, 0]; // not all of the first goes in one write
    const message = (number: number) => ({ number, filling: 'x'.repeat(sizes[number] ?? 0) });
    await Promise.all([0, 1].map((number) => outcome(client.send('request', message(number)))));
    expect(seen).toEqual([1, 0]);
  });

  it('answer as soon as each is done, in any order', async () => {
    const { client } = await startApplication({ controllers });
    const waiting = outcome(client.send('never', 0));
    expect(await outcome(client.send('request', { number: 3 }))).toBe(3);
    await client.close();
    expect(await waiting).toMatchObject({ sent: true });
  });
});

describe('a client that has disconnected', () => {
  it.each([
    ['its process died', (socket: { destroy(): void }) => socket.destroy()],
    ['it only ended its side', (socket: { end(): void }) => socket.end()],
  ])('leaves no handler running: %s', async (_how, leave) => {
    const { client, server } = await startApplication({ controllers });
    const patterns = ['observable', 'generator', 'signal', 'never'];
    for (const pattern of patterns) client.send(pattern, 0).subscribe({ error: () => undefined });
    await expect.poll(() => server.snapshot().running).toBe(patterns.length);
    leave(client.unwrap());
    await expect.poll(() => server.snapshot().running).toBe(0);
    expect(seen.map(String).sort()).toEqual(['generator', 'observable', 'signal']);
    expect(server.snapshot()).toMatchObject({ connections: 0, inFlight: 0 });
  });
});
