// What RabbitMQ delivers again. On a durable queue with acknowledgements that is handled, as the same message; on any other
// queue it is a replay.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Logger } from '@nestjs/common';
import { SealedRmqClient, SealedRmqServer } from '@sealwire/brokers';
import type { SealedRmqContext } from '@sealwire/brokers';
import { createKeyFile } from '@sealwire/crypto';
import { lastValueFrom, of } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { Engine, isMissing, skipNote } from '../engines/engine.js';
import { RABBITMQ } from '../engines/rabbitmq.js';
import { listening } from '../hostile/hostile-broker.js';

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));

interface Handled {
  readonly data: unknown;
  readonly messageId: string;
}

interface Channel {
  ack(message: unknown): void;
  nack(message: unknown, allUpTo: boolean, requeue: boolean): void;
}

describe.skipIf(isMissing(RABBITMQ))(`A message that RabbitMQ delivers again${skipNote(RABBITMQ)}`, () => {
  const ends: (() => unknown)[] = [];
  let engine: Engine;
  let directory: string;
  let keyFile: string;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    engine = await Engine.start(RABBITMQ);
    directory = await mkdtemp(join(tmpdir(), 'sealwire-redelivery-'));
    keyFile = join(directory, 'aes_key.bin');
    await createKeyFile(keyFile);
  });

  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });

  afterAll(async () => {
    await engine.stop();
    await rm(directory, { recursive: true, force: true });
  });

  function connect(queue: string, durable: boolean): SealedRmqClient {
    const seal = { keyFile, service: 'work' };
    const client = new SealedRmqClient({ urls: [engine.url], queue, queueOptions: { durable }, seal });
    ends.push(() => client.close());
    return client;
  }

  /** A server in a process of its own. */
  async function startWorker(queue: string, hangs: boolean): Promise<ChildProcess> {
    const worker = fork(WORKER, [JSON.stringify({ url: engine.url, queue, keyFile, hangs })], { execArgv: [] });
    ends.push(() => worker.kill('SIGKILL'));
    expect(await nextMessage(worker)).toBe('serving');
    return worker;
  }

  async function nextMessage(worker: ChildProcess): Promise<unknown> {
    const [message] = (await once(worker, 'message')) as unknown[];
    return message;
  }

  it('is handled by the next server, as the same message, after the first one was killed in the middle', async () => {
    const client = connect('killed', true);
    const first = await startWorker('killed', true);
    const answer = lastValueFrom(client.send('work', 'once'));
    const begun = (await nextMessage(first)) as Handled;
    first.kill('SIGKILL');
    const ended = once(first, 'exit');
    await ended;
    const second = startWorker('killed', false).then(nextMessage);
    expect(await answer).toBe('once');
    expect(begun).toMatchObject({ data: 'once' });
    expect(await second).toEqual(begun);
  });

  it.each([
    { durable: true, times: 2, replays: 0 },
    { durable: false, times: 1, replays: 1 },
  ])(
    'is handled $times times if its handler gives it back once, durable: $durable',
    async ({ durable, times, replays }) => {
      const handled: string[] = [];
      const queue = `given-back-${String(durable)}`;
      const options = { urls: [engine.url], queue, queueOptions: { durable }, noAck: false };
      const server = await listening(new SealedRmqServer({ ...options, seal: { keyFile, service: 'work' } }), {
        work: (data: unknown, context: SealedRmqContext) => {
          handled.push(context.getPeer().messageId);
          const channel = context.getChannelRef() as Channel;
          if (handled.length === 1) channel.nack(context.getMessage(), false, true);
          else channel.ack(context.getMessage());
          return Promise.resolve(of(data));
        },
      });
      ends.push(() => server.close());
      const client = connect(queue, durable);
      await lastValueFrom(client.emit('work', 'again'), { defaultValue: undefined });
      await expect.poll(() => [handled.length, server.refusals.replay]).toEqual([times, replays]);
      expect(new Set(handled).size).toBe(1);
    },
  );
});
