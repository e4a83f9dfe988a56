// What a server does when as many handlers run as may run concurrently in all, whatever connection they serve.
import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { firstValueFrom, Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { SealwireContext, SealwireLimitOptions, SealwireServer } from '@sealwire/transport';
import { arrived, outcome, startApplication } from '../support/application.js';
import { endAll, newClient, portOf } from '../support/pair.js';

let noted: unknown[] = [];
let release = new Subject<string>();

beforeEach(() => {
  noted = [];
  release = new Subject();
});

afterEach(async () => {
  release.next('the end');
  await endAll();
});

@Controller()
class HoldingController {
  @MessagePattern('hold')
  hold(): Promise<string> {
    return firstValueFrom(release);
  }

  @MessagePattern('echo')
  echo(@Payload() value: unknown): unknown {
    return value;
  }

  @EventPattern('noted')
  async noted(@Payload() value: unknown): Promise<void> {
    noted.push(value);
    await firstValueFrom(release);
  }
}

async function start(maxRunningTotal: number) {
  const { server, client: first } = await startApplication({
    controllers: [HoldingController],
    server: { limits: { maxRunningTotal } },
  });
  const second = newClient(portOf(server));
  await Promise.all([first.connect(), second.connect()]);
  const runs = async (count: number): Promise<void> => {
    await expect.poll(() => server.snapshot().running).toBe(count);
  };
  return { server, first, second, runs };
}

describe('the maximum of running handlers in the whole server', () => {
  it('leaves places for requests, however many events of another client wait', async () => {
    const { first, second, runs } = await start(64);
    const events = Array.from({ length: 100 }, (_, number) => outcome(first.emit('noted', number)));
    await runs(62);
    expect(await Promise.all([1, 2].map((value) => outcome(second.send('echo', value))))).toEqual([1, 2]);
    for (let left = 100; left > 0; left -= 62) {
      await expect.poll(() => noted.length).toBe(Math.min(100, 162 - left));
      release.next('go on');
    }
    await Promise.all(events);
  });

  it('fails requests of another client immediately, and a freed place serves the next one', async () => {
    const { server, first, second, runs } = await start(2);
    const held = [outcome(first.send('hold', 0)), outcome(second.send('hold', 0))];
    await runs(2);
    for (const client of [first, second]) {
      expect(await outcome(client.send('echo', 1))).toMatchObject({ code: 'ERR_OVERLOADED', fault: 'peer' });
    }
    release.next('done');
    expect(await Promise.all(held)).toEqual(['done', 'done']);
    for (const client of [first, second]) {
      expect(await outcome(client.send('echo', 1))).toBe(1);
      expect(client.snapshot().connected).toBe(1);
    }
    expect(server.snapshot()).toMatchObject({ connections: 2, running: 0, connectionsFailed: 0 });
  });

  it('makes the events of every client wait, in turn, until places are freed', async () => {
    const { first, second, runs } = await start(1);
    void outcome(first.send('hold', 0));
    await runs(1);
    const sent = [first.emit('noted', 'a'), first.emit('noted', 'b')].map(arrived);
    expect(await outcome(first.send('echo', 1))).toMatchObject({ code: 'ERR_OVERLOADED' }); // it came behind both
    sent.push(arrived(second.emit('noted', 'c')));
    expect(await outcome(second.send('echo', 1))).toMatchObject({ code: 'ERR_OVERLOADED' });
    expect(noted).toEqual([]);
    for (const [index, next] of ['a', 'c', 'b'].entries()) {
      release.next('done');
      await expect.poll(() => noted.length).toBe(index + 1);
      expect(noted.at(-1)).toBe(next);
    }
    await Promise.all(sent);
  });

  it('counts handlers of departed clients, whose events wait no longer', async () => {
    const { server, second, runs } = await start(1);
    const first = newClient(portOf(server), { timeouts: { drainMs: 0 } });
    void outcome(first.send('hold', 0));
    await runs(1);
    void outcome(first.emit('noted', 'a'));
    expect(await outcome(first.send('echo', 1))).toMatchObject({ code: 'ERR_OVERLOADED' });
    await first.close();
    await expect.poll(() => server.snapshot().connections).toBe(2);
    expect(await outcome(second.send('echo', 1))).toMatchObject({ code: 'ERR_OVERLOADED' });
    release.next('done');
    await runs(0);
    expect(await outcome(second.send('echo', 1))).toBe(1);
    expect(noted).toEqual([]);
  });
});

const WAITING = 5_000;
const broken = (): never => {
  throw new Error('broken');
};

/** What fails before anything waits: the place is free again immediately. */
const BROKEN: readonly [string, (server: SealwireServer) => void][] = [
  [
    'a start hook',
    (server) => {
      server.addHandler('broken', () => Promise.resolve(), true);
      server.setOnProcessingStartHook((_id, context, done) => {
        if ((context as SealwireContext).getPattern() === 'broken') broken();
        void done();
      });
    },
  ],
  ['a handler', (server) => server.addHandler('broken', broken, true)],
];
const LIMITS: readonly [string, SealwireLimitOptions][] = [
  ['of one client', { maxRunning: 2 }],
  ['of all clients', { maxRunningTotal: 2 }],
];

describe.each(LIMITS)('the maximum of events that wait for the handlers %s', (_whose, limits) => {
  it.each(BROKEN)('is acknowledged and leaves its places, even if %s throws immediately', async (_what, breakIt) => {
    const { server, client } = await startApplication({
      controllers: [HoldingController],
      server: { limits: { maxInFlight: WAITING + 4, ...limits } },
      configure: (_app, strategy) => breakIt(strategy),
    });
    await Promise.all([0, 1].map((value) => arrived(client.emit('noted', value))));
    await expect.poll(() => noted).toEqual([0, 1]);
    const failed = Array.from({ length: WAITING }, () => arrived(client.emit('broken', 0)));
    expect(await outcome(client.send('echo', 1))).toMatchObject({ code: 'ERR_OVERLOADED' }); // it came behind all
    expect(server.snapshot()).toMatchObject({ running: 2, inFlight: WAITING });
    release.next('done');
    await Promise.all(failed);
    expect(server.snapshot()).toMatchObject({ running: 0, inFlight: 0, connectionsFailed: 0 });
    expect(await outcome(client.send('echo', 1))).toBe(1);
    await arrived(client.emit('noted', 'new'));
    await expect.poll(() => noted).toEqual([0, 1, 'new']);
  });
});
