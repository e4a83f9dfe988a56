import { AsyncLocalStorage } from 'node:async_hooks';

import { Controller, UseGuards } from '@nestjs/common';
import type { CanActivate } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { lastValueFrom, Observable } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

import { all, arrived, startApplication } from '../support/application.js';
import { endAll } from '../support/pair.js';

const storage = new AsyncLocalStorage<unknown>();
const noted: unknown[] = [];
let entered = 0;

class EnteringGuard implements CanActivate {
  canActivate(): boolean {
    if (storage.getStore() === undefined) storage.enterWith((entered += 1));
    return true;
  }
}

@UseGuards(EnteringGuard)
@Controller()
class ContextController {
  @MessagePattern('now')
  now(): unknown {
    return storage.getStore();
  }

  @MessagePattern('later')
  async *later(): AsyncGenerator {
    yield storage.getStore();
    await new Promise((resolve) => void setImmediate(resolve));
    yield storage.getStore();
  }

  @MessagePattern('hang')
  hang(): Observable<never> {
    return new Observable(() => () => {
      noted.push('torn down');
      storage.enterWith('left behind');
    });
  }

  @EventPattern('noted')
  async noted(_data: unknown): Promise<void> {
    await new Promise((resolve) => void setImmediate(resolve));
    noted.push(storage.getStore());
  }
}

afterEach(endAll);
afterEach(() => void noted.splice(0));

const start = (maxRunning = 100) =>
  startApplication({
    controllers: [ContextController],
    server: { limits: { maxRunning } },
    client: { limits: { maxQueuedMessages: 100 } },
  });

describe('the async context of a message', () => {
  it('is separate for each message, consecutive and concurrent', async () => {
    const { client } = await start();
    const ids: unknown[] = [];
    for (let asked = 0; asked < 3; asked++) ids.push(await lastValueFrom(client.send('now', 0)));
    ids.push(...(await Promise.all(Array.from({ length: 5 }, () => lastValueFrom(client.send('now', 0))))));
    expect(new Set(ids).size).toBe(8);
    const [first, second] = await all(client.send('later', 0));
    expect([ids.includes(first), second]).toEqual([false, first]);
  });

  it('is separate for events that waited for another handler to end', async () => {
    const { client } = await start(1);
    await Promise.all(Array.from({ length: 5 }, () => arrived(client.emit('noted', 0))));
    await expect.poll(() => new Set(noted).size).toBe(5);
  });

  it('is not changed by the tear-down of a cancelled message', async () => {
    const { client } = await start();
    await client.connect();
    const running = client.send('hang', 0).subscribe();
    await lastValueFrom(client.send('now', 0));
    running.unsubscribe();
    await expect.poll(() => noted).toEqual(['torn down']);
    expect(await lastValueFrom(client.send('now', 0))).toBeTypeOf('number');
  });
});

describe('the async context of a caller', () => {
  it('is that of its own call in every callback, whichever call dialed', async () => {
    const { client } = await start();
    const ask = (caller: string, pattern: string): Promise<unknown[]> =>
      storage.run(caller, () => {
        const seen: unknown[] = [];
        return new Promise((resolve) => {
          const end = (): void => resolve([...seen, storage.getStore()]);
          client.send(pattern, 0).subscribe({ next: () => seen.push(storage.getStore()), complete: end, error: end });
        });
      });
    expect(await ask('A', 'now')).toEqual(['A', 'A']);
    expect(await Promise.all([ask('B', 'now'), ask('C', 'nowhere')])).toEqual([['B', 'B'], ['C']]);
  });

  it('is not leaked to the listeners of the connection, nor kept by it', async () => {
    const { client } = await start();
    const seen: unknown[] = [];
    const listening = client.connectionEvents.subscribe(() => {
      seen.push(storage.getStore());
      storage.enterWith('listener');
    });
    await storage.run('A', () => lastValueFrom(client.send('now', 0)));
    await client.close();
    listening.unsubscribe();
    expect(seen).toEqual([undefined, undefined, undefined]);
  });

  it('is that of its own call when close() ends the wait for a connection', async () => {
    const { client } = await start();
    const seen: unknown[] = [];
    const fail = (): void => {
      seen.push(storage.getStore());
      storage.enterWith('left behind');
    };
    for (const caller of ['A', 'B']) storage.run(caller, () => client.send('now', 0).subscribe({ error: fail }));
    await storage.run('C', () => client.close());
    expect(seen).toEqual(['A', 'B']);
  });

  it('is not taken from the listeners that receive its failed event', async () => {
    const { client } = await start();
    const seen: unknown[] = [];
    const listening = client.connectionEvents.subscribe(() => {
      seen.push(storage.getStore());
      storage.enterWith('listener');
    });
    const error = (): void => void seen.push(storage.getStore());
    await storage.run(
      'A',
      () =>
        new Promise((resolve) => {
          client.emit('noted', null).subscribe({ error: () => resolve(error()) });
        }),
    );
    listening.unsubscribe();
    expect(seen).toEqual([undefined, 'A']);
  });
});
