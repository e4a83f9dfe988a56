// What a large message costs small ones on the same connection, and what happens when there is too much of everything.
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { firstValueFrom, Subject } from 'rxjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import { EchoController, outcome, startApplication } from '../support/application.js';
import { endAll } from '../support/pair.js';

const MIB = 1_048_576;
const LARGE_BYTES = 64 * MIB;

const release = new Subject<string>();

@Controller()
class LoadController {
  @MessagePattern('measure')
  measure(@Payload() bytes: Buffer): number {
    return bytes.length;
  }

  @MessagePattern('fill')
  fill(@Payload() bytes: number): Buffer {
    return Buffer.alloc(bytes);
  }

  @MessagePattern('endless')
  async *endless(@Payload() bytes: number): AsyncGenerator<Buffer, void> {
    await Promise.resolve();
    for (;;) yield Buffer.alloc(bytes);
  }

  @MessagePattern('hold')
  hold(): Promise<string> {
    return firstValueFrom(release);
  }
}

const controllers = [EchoController, LoadController];

afterEach(() => endAll());

const SMALL_BYTES = [10, 40_000] as const;

/** What a large message is answered with, and how many small ones of each size were answered meanwhile. */
async function sendBeside(pattern: string, message: unknown) {
  const limits = { limits: { maxMessageBytes: 128 * MIB } };
  const { client } = await startApplication({ controllers, server: limits, client: limits });
  await client.connect();
  const large = { isUnderWay: true };
  const answer = outcome(client.send(pattern, message)).finally(() => (large.isUnderWay = false));
  const countEchoes = async (bytes: number): Promise<number> => {
    const small = Buffer.alloc(bytes);
    for (let count = 0; ; count++) {
      if (!large.isUnderWay) return count;
      const echo = await outcome(client.send('echo', small));
      if (!Buffer.isBuffer(echo) || !echo.equals(small)) throw new Error(`Not an echo: ${String(echo)}`);
    }
  };
  const [few, several] = await Promise.all(SMALL_BYTES.map(countEchoes));
  return { answer: await answer, few, several, connected: client.snapshot().connected };
}

describe.each([
  ['to the server', { pattern: 'measure', message: Buffer.alloc(LARGE_BYTES), bytesOf: (answer: unknown) => answer }],
  ['to the client', { pattern: 'fill', message: LARGE_BYTES, bytesOf: (answer: unknown) => (answer as Buffer).length }],
])('a message of 64 MiB %s', (_way, { pattern, message, bytesOf }) => {
  let sent: Awaited<ReturnType<typeof sendBeside>>;

  beforeAll(async () => {
    sent = await sendBeside(pattern, message);
    await endAll();
  });

  it.each([
    ['of 10 bytes', 'few'],
    ['of several frames', 'several'],
  ] as const)('does not delay a request %s', (_size, echoes) => {
    expect(bytesOf(sent.answer)).toBe(LARGE_BYTES);
    expect(sent[echoes]).toBeGreaterThanOrEqual(20);
    expect(sent.connected).toBe(1);
  });
});

describe('a generator that never waits and never ends', () => {
  it.each([
    ['small', 1_000],
    ['large', 60_000],
    ['larger than a record', 300_000],
  ])('of %s values delays neither requests nor the CREDIT that it needs', async (_size, bytes) => {
    const { client } = await startApplication({ controllers });
    await client.connect();
    const values: number[] = [];
    const endless = client.send<Buffer>('endless', bytes).subscribe((value) => void values.push(value.length));
    for (let asked = 0; asked < 20 || values.length * bytes < 4 * MIB; asked++) {
      expect(await outcome(client.send('echo', asked))).toBe(asked);
    }
    endless.unsubscribe();
    expect(await outcome(client.send('echo', 'after'))).toBe('after');
    expect(client.snapshot()).toMatchObject({ connected: 1, inFlight: 0 });
  });
});

describe('overload', () => {
  it('of handlers fails the excess immediately, and the rest is answered', async () => {
    const { client } = await startApplication({ controllers, server: { limits: { maxInFlight: 64, maxRunning: 3 } } });
    const calls = Array.from({ length: 10 }, () => outcome(client.send('hold', 0)));
    for (const refused of await Promise.all(calls.slice(3))) {
      expect(refused).toMatchObject({ code: 'ERR_OVERLOADED', fault: 'peer' });
    }
    release.next('done');
    expect(await Promise.all(calls.slice(0, 3))).toEqual(['done', 'done', 'done']);
    expect(await outcome(client.send('echo', 1))).toBe(1);
    expect(client.snapshot()).toMatchObject({ connected: 1, inFlight: 0, waiting: 0 });
  });

  it('of waiting messages fails the excess immediately, unsent, and the rest is answered', async () => {
    const limits = { server: { limits: { maxInFlight: 2 } }, client: { limits: { maxQueuedMessages: 3 } } };
    const { client } = await startApplication({ controllers, ...limits });
    await client.connect(); // calls that wait for a connection have the same bound
    const calls = Array.from({ length: 10 }, () => outcome(client.send('hold', 0)));
    for (const refused of await Promise.all(calls.slice(5))) {
      expect(refused).toMatchObject({ code: 'ERR_QUEUE_FULL', fault: 'caller', sent: false });
    }
    const releasing = setInterval(() => release.next('done'), 1);
    expect(await Promise.all(calls.slice(0, 5))).toEqual(Array.from({ length: 5 }, () => 'done'));
    clearInterval(releasing);
    expect(await outcome(client.send('echo', 1))).toBe(1);
    expect(client.snapshot()).toMatchObject({ connected: 1, inFlight: 0, waiting: 0 });
  });

  it('of waiting bytes fails the excess immediately, unsent, and the rest is answered', async () => {
    const { client } = await startApplication({ controllers, client: { limits: { maxQueuedBytes: MIB } } });
    await client.connect();
    const bytes = Buffer.alloc(MIB / 4); // more of them than the system takes in one write
    const answers = await Promise.all(Array.from({ length: 100 }, () => outcome(client.send('echo', bytes))));
    const refused = answers.filter((answer) => !Buffer.isBuffer(answer));
    expect(refused.length).toBeGreaterThanOrEqual(10);
    expect(refused.length).toBeLessThan(100);
    for (const error of refused) expect(error).toMatchObject({ code: 'ERR_QUEUE_FULL', sent: false });
    expect(await outcome(client.send('echo', 1))).toBe(1);
    expect(client.snapshot()).toMatchObject({ connected: 1, inFlight: 0, waiting: 0 });
  });

  it('of waiting answers fails the excess, and the rest arrives', async () => {
    const { client } = await startApplication({ controllers, server: { limits: { maxQueuedBytes: MIB } } });
    const answers = await Promise.all(Array.from({ length: 20 }, () => outcome(client.send('fill', MIB))));
    const refused = answers.filter((answer) => !Buffer.isBuffer(answer));
    expect(refused.length).toBeGreaterThanOrEqual(5);
    expect(refused.length).toBeLessThan(20);
    for (const error of refused) expect(error).toMatchObject({ code: 'ERR_ANSWER_OVERFLOW' });
    expect(await outcome(client.send('echo', 1))).toBe(1);
    expect(client.snapshot().connected).toBe(1);
  });
});
