// What operators see of failures that others cause: whole Nest applications, with the loggers that they have.
import { connect } from 'node:net';

import { ConsoleLogger, Controller, Logger } from '@nestjs/common';
import type { ConsoleLoggerOptions, LoggerService } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { arrived, outcome, startApplication } from '../support/application.js';
import { endAll, keyring, newClient, portOf } from '../support/pair.js';

@Controller()
class AnswerController {
  @MessagePattern('cycle')
  cycle(): unknown {
    const cycle: Record<string, unknown> = {};
    return (cycle['self'] = cycle);
  }

  @MessagePattern('deep')
  deep(): unknown {
    return nested(100_000);
  }
}

const controllers = [AnswerController];

afterEach(() => endAll());

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

interface Entry {
  readonly message: string;
  readonly kind: string;
  readonly suppressed: number;
}

/** What a logger is given that makes JSON of it. */
function collect(): Entry[] {
  const entries: Entry[] = [];
  const add = (entry: unknown): void => void entries.push(JSON.parse(JSON.stringify(entry)) as Entry);
  use({ log: () => undefined, warn: add, error: add });
  return entries;
}

function use(logger: LoggerService): void {
  Logger.overrideLogger(logger);
  onTestFinished(() => Logger.overrideLogger(false));
}

/** What Nest's logger prints. */
function print(options: ConsoleLoggerOptions): string[] {
  const chunks: string[] = [];
  const write = (chunk: unknown): boolean => chunks.push(String(chunk)) > 0;
  const spies = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write').mockImplementation(write));
  onTestFinished(() => spies.forEach((spy) => spy.mockRestore()));
  use(new ConsoleLogger({ timestamp: false, ...options }));
  return chunks;
}

const told = (entries: readonly Entry[]): number => entries.reduce((sum, { suppressed }) => sum + 1 + suppressed, 0);
/** One a second, and some more for what came before the first. */
const linesSince = (startMs: number): number => 10 + (performance.now() - startMs) / 1_000;

describe('a client that floods', () => {
  it('with unhandled events gets one line a second, and each of them is counted', async () => {
    const { client } = await startApplication({ controllers });
    const entries = collect();
    const startMs = performance.now();
    await Promise.all(Array.from({ length: 2_000 }, (_, i) => arrived(client.emit(`no such ${i}`, 0))));
    await expect.poll(() => told(entries), { timeout: 30_000 }).toBe(2_000);
    expect(entries.length).toBeLessThanOrEqual(2 + (performance.now() - startMs) / 1_000);
    expect(new Set(entries.map(({ kind }) => kind))).toEqual(new Set(['no-event-handler']));
  });

  it('is counted to the end if the server closes before the second is over', async () => {
    const { client, server } = await startApplication({ controllers });
    const entries = collect();
    for (let i = 0; i < 5; i++) await arrived(client.emit('no such', i));
    await server.close();
    expect(told(entries)).toBe(5);
  });

  it('with answers that cannot be sent gets one line a second', async () => {
    const { client } = await startApplication({ controllers });
    const startMs = performance.now();
    const entries = collect();
    await Promise.all(Array.from({ length: 200 }, () => outcome(client.send('cycle', 0))));
    await expect.poll(() => told(entries), { timeout: 30_000 }).toBe(200);
    expect(entries.length).toBeLessThan(linesSince(startMs));
    expect(entries[0]).toMatchObject({ kind: 'answer', code: 'ERR_MESSAGE_UNSERIALIZABLE', pattern: 'cycle' });
  });
});

it('clients that connect and disconnect are logged with their key, each of them written or counted', async () => {
  const { server } = await startApplication({ controllers });
  const entries: Entry[] = [];
  const add = (entry: unknown): void => void entries.push(JSON.parse(JSON.stringify(entry)) as Entry);
  use({ log: add, warn: () => undefined, error: () => undefined });
  for (let count = 0; count < 4; count++) {
    const client = newClient(portOf(server));
    await client.ping();
    await client.close();
  }
  await expect.poll(() => server.snapshot().connections).toBe(0);
  await server.close();
  for (const kind of ['connected', 'left']) {
    const ofKind = entries.filter((entry) => entry.kind === kind);
    expect(told(ofKind)).toBe(4);
    expect(ofKind[0]).toMatchObject({
      keyId: keyring.primary.id,
      address: expect.stringContaining('127.0.0.1:') as string,
    });
  }
});

it('strangers that flood get one line a second', async () => {
  const { server } = await startApplication({ controllers });
  const startMs = performance.now();
  const entries = collect();
  for (let i = 0; i < 50; i++) {
    const socket = connect(portOf(server), '127.0.0.1', () => socket.end('GET / HTTP/1.1\r\n\r\n'.padEnd(200)));
    socket.resume().on('error', () => undefined);
  }
  await expect.poll(() => told(entries), { timeout: 30_000 }).toBe(50);
  expect(entries.length).toBeLessThan(linesSince(startMs));
  expect(entries[0]).toMatchObject({ kind: 'refused', code: 'ERR_HANDSHAKE_MALFORMED' });
});

describe('a pattern that attacks the log', () => {
  const PATTERN = 'x\n[Nest] 1  - ERROR forged \u001b[2J';
  const SHOWN = String.raw`x\n[Nest] 1  - ERROR forged \u001b[2J`;

  it.each([{ colors: false }, { colors: true }])('stays in its line as text, %o', async (options) => {
    const { client } = await startApplication({ controllers });
    await client.ping();
    const printed = print(options);
    await arrived(client.emit(PATTERN, 0));
    const text = printed.join('');
    expect(text.trimEnd().split('\n')).toHaveLength(1);
    expect(text).toContain(`There is no matching event handler defined in the remote service. Event pattern: ${SHOWN}`);
    expect(text).not.toContain('\u001b[2J');
  });

  it('is a field as JSON', async () => {
    const { client } = await startApplication({ controllers });
    await client.ping();
    const printed = print({ json: true });
    await arrived(client.emit(PATTERN, 0));
    expect(printed).toHaveLength(1);
    const entry = JSON.parse(printed.join('')) as { message: unknown; error?: unknown };
    const fields = entry.error ?? entry.message; // Nest 12, Nest 11
    expect(fields).toMatchObject({ kind: 'no-event-handler', pattern: SHOWN, suppressed: 0 });
  });
});

/** Newer engines do, older ones run out of stack. */
function writesAnyDepth(): boolean {
  try {
    return JSON.stringify(nested(100_000)) !== '';
  } catch {
    return false;
  }
}

describe.skipIf(writesAnyDepth())('a value that is nested too deeply', () => {
  it('is refused at the client, with the reason in its message', async () => {
    const { client } = await startApplication({ controllers });
    expect(await outcome(client.send('cycle', nested(100_000)))).toMatchObject({
      code: 'ERR_MESSAGE_UNSERIALIZABLE',
      message: expect.stringContaining('nested too deeply') as string,
      sent: false,
    });
  });

  it('is refused as an answer, with the reason in the log', async () => {
    const { client } = await startApplication({ controllers });
    const entries = collect();
    expect(await outcome(client.send('deep', 0))).toMatchObject({
      code: 'ERR_MESSAGE_UNSERIALIZABLE',
      message: expect.stringContaining("the server's log") as string,
    });
    expect(entries).toMatchObject([{ message: expect.stringContaining('nested too deeply') as string }]);
  });
});
