// What a large message costs small ones on the same connection, and what happens when there is too much of everything.
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { firstValueFrom, Subject } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

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

describe('a message of 64 MiB', () => {
  const toServer = { pattern: 'measure', message: Buffer.alloc(LARGE_BYTES), bytesOf: (answer: unknown) => answer };
  const toClient = { pattern: 'fill', message: LARGE_BYTES, bytesOf: (answer: unknown) => (answer as Buffer).length };

  it.each([
    ['to the server', 'of 10 bytes', 10, toServer],
    ['to the server', 'of several frames', 40_000, toServer],
    ['to the client', 'of 10 bytes', 10, toClient],
    ['to the client', 'of several frames', 40_000, toClient],
  ])('%s holds back no request %s', async (_way, _size, smallBytes, { pattern, message, bytesOf }) => {
    const limits = { maxMessageBytes: 128 * MIB };
    const { client } = await startApplication({ controllers, server: limits, client: limits });
    await client.connect();
    const finished: string[] = [];
    const large = outcome(client.send(pattern, message)).finally(() => finished.push('large'));
    const small = Buffer.alloc(smallBytes);
    while (!finished.includes('large')) {
      const answer = await outcome(client.send('echo', small));
      expect(Buffer.isBuffer(answer) && answer.equals(small)).toBe(true);
      finished.push('small');
    }
    expect(bytesOf(await large)).toBe(LARGE_BYTES);
    expect(finished.indexOf('large')).toBeGreaterThanOrEqual(20);
    expect(client.snapshot().connected).toBe(1);
  });
});

describe('a generator that never waits and never ends', () => {
  it.each([
    ['small', 1_000],
    ['large', 60_000],
    ['larger than a record', 300_000],
  ])('of %s values holds back neither requests nor the CREDIT that it goes on with', async (_size, bytes) => {
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
  it('of handlers fails what is too much at once, and the rest is answered', async () => {
    const { client } = await startApplication({ controllers, server: { maxInFlight: 64, maxRunning: 3 } });
    const calls = Array.from({ length: 10 }, () => outcome(client.send('hold', 0)));
    for (const refused of await Promise.all(calls.slice(3))) {
      expect(refused).toMatchObject({ code: 'ERR_OVERLOADED', fault: 'peer' });
    }
    release.next('done');
    expect(await Promise.all(calls.slice(0, 3))).toEqual(['done', 'done', 'done']);
    expect(await outcome(client.send('echo', 1))).toBe(1);
    expect(client.snapshot()).toMatchObject({ connected: 1, inFlight: 0, waiting: 0 });
  });

  it('of the messages that wait fails what is too much at once, unsent, and the rest is answered', async () => {
    const limits = { server: { maxInFlight: 2 }, client: { maxQueuedMessages: 3 } };
    const { client } = await startApplication({ controllers, ...limits });
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

  it('of the bytes that wait fails what is too much at once, unsent, and the rest is answered', async () => {
    const { client } = await startApplication({ controllers, client: { maxQueuedBytes: MIB } });
    await client.connect();
    const bytes = Buffer.alloc(MIB / 4); // more of them than the system takes at once
    const answers = await Promise.all(Array.from({ length: 100 }, () => outcome(client.send('echo', bytes))));
    const refused = answers.filter((answer) => !Buffer.isBuffer(answer));
    expect(refused.length).toBeGreaterThanOrEqual(10);
    expect(refused.length).toBeLessThan(100);
    for (const error of refused) expect(error).toMatchObject({ code: 'ERR_QUEUE_FULL', sent: false });
    expect(await outcome(client.send('echo', 1))).toBe(1);
    expect(client.snapshot()).toMatchObject({ connected: 1, inFlight: 0, waiting: 0 });
  });

  it('of the answers that wait fails what is too much, and the rest arrives', async () => {
    const { client } = await startApplication({ controllers, server: { maxQueuedBytes: MIB } });
    const answers = await Promise.all(Array.from({ length: 20 }, () => outcome(client.send('fill', MIB))));
    const refused = answers.filter((answer) => !Buffer.isBuffer(answer));
    expect(refused.length).toBeGreaterThanOrEqual(5);
    expect(refused.length).toBeLessThan(20);
    for (const error of refused) expect(error).toMatchObject({ code: 'ERR_ANSWER_OVERFLOW' });
    expect(await outcome(client.send('echo', 1))).toBe(1);
    expect(client.snapshot().connected).toBe(1);
  });
});
