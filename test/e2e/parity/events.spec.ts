// What becomes of events whose handlers fail, whose connection is lost, and of callers whose subscribers throw.
import { Controller, Logger } from '@nestjs/common';
import { EventPattern, Payload, RpcException, Server } from '@nestjs/microservices';
import { config } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { arrived, outcome, startApplication } from '../../support/application.js';
import { endAll } from '../../support/pair.js';

afterEach(() => endAll());

let seen: unknown[] = [];

beforeEach(() => {
  seen = [];
});

@Controller()
class EventController {
  @EventPattern('plain')
  plain(@Payload() _value: unknown): void {
    throw new Error('inside');
  }

  @EventPattern('rpc')
  async rpc(@Payload() _value: unknown): Promise<void> {
    await Promise.resolve();
    throw new RpcException('inside');
  }

  @EventPattern('noted')
  noted(@Payload() value: unknown): void {
    seen.push(value);
  }
}

const controllers = [EventController];

/** Nest 11 has no word for an RpcException of an event handler, and says too much of another error. */
const reportsEventFailures = 'handleRequest' in Server.prototype;

describe('an event', () => {
  it.skipIf(!reportsEventFailures).each(['plain', 'rpc'])(
    'whose handler fails is logged once, with its stack (Nest 12): %s',
    async (pattern) => {
      const { client, server } = await startApplication({ controllers });
      const lines = collectErrors();
      await arrived(client.emit(pattern, 0));
      await expect.poll(() => server.snapshot().running).toBe(0);
      expect(lines).toEqual([expect.objectContaining({ message: 'inside', stack: expect.any(String) as string })]);
    },
  );

  it('whose handler fails is logged, and affects neither its sender nor the next event', async () => {
    const { client } = await startApplication({ controllers });
    const lines = collectErrors();
    for (const pattern of ['plain', 'rpc']) await arrived(client.emit(pattern, 0));
    await arrived(client.emit('noted', 1));
    expect(seen).toEqual([1]);
    await expect.poll(() => lines.length).toBeGreaterThanOrEqual(2);
  });

  it('whose handler was added without Nest is logged as well', async () => {
    const { client, server } = await startApplication({ controllers });
    const lines = collectErrors();
    server.addHandler('raw', () => Promise.reject(new Error('inside')), true);
    await arrived(client.emit('raw', 0));
    await expect
      .poll(() => lines)
      .toEqual([expect.objectContaining({ message: 'The handler of the event raw failed: inside' })]);
  });

  it('that races a loss of the connection is never reported as delivered when it was not', async () => {
    const { client, server } = await startApplication({ controllers });
    await client.connect();
    const sent = [1, 2, 3, 4, 5].map((value) => outcome(client.emit('noted', value)));
    client.unwrap().destroy();
    const told = await Promise.all(sent);
    await client.close();
    await expect.poll(() => server.snapshot().connections).toBe(0);
    told.forEach((end, index) => {
      if (end === undefined) expect(seen).toContain(index + 1);
      else expect(end).toMatchObject({ code: 'ERR_CONNECTION_LOST', sent: expect.any(Boolean) as boolean });
    });
  });
});

it('a subscriber that throws when its connection is lost does not suppress the errors of other calls', async () => {
  const { client, server } = await startApplication({ controllers });
  server.addHandler('never', () => new Promise(() => undefined));
  const thrown: unknown[] = [];
  config.onUnhandledError = (error) => thrown.push(error);
  onTestFinished(() => void (config.onUnhandledError = null));
  const bug = new Error('of the subscriber');
  client.send('never', 0).subscribe({
    error: () => {
      throw bug;
    },
  });
  const others = [outcome(client.send('never', 0)), outcome(client.send('never', 0))];
  await expect.poll(() => server.snapshot().running).toBe(3);
  client.unwrap().destroy();
  for (const end of await Promise.all(others)) expect(end).toMatchObject({ code: 'ERR_CONNECTION_LOST' });
  await expect.poll(() => thrown).toEqual([bug]);
});

function collectErrors(): unknown[] {
  const lines: unknown[] = [];
  Logger.overrideLogger({ log() {}, warn() {}, error: (line: unknown) => lines.push(line) });
  onTestFinished(() => Logger.overrideLogger(false));
  return lines;
}
