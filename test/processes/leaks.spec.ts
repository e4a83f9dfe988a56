// What clients that leave, in whatever way, leave behind: nothing.
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { Controller, UseInterceptors } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { createKeyFile, loadKeyring } from '@sealwire/crypto';
import type { SealwireClient } from '@sealwire/transport';
import { interval } from 'rxjs';
import type { Observable, Subscription } from 'rxjs';
import { finalize, map } from 'rxjs/operators';
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { startApplication } from '../support/application.js';
import { endAll, portOf } from '../support/pair.js';

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const PATTERNS = ['generator', 'intercepted generator', 'intercepted observable', 'observable', 'stream'];

let ended: string[] = [];

beforeEach(() => {
  ended = [];
});

afterEach(() => endAll());

class PassOn implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((value: unknown) => value));
  }
}

@Controller()
class EndlessController {
  @MessagePattern('observable')
  observable(): Observable<number> {
    return ticks('observable');
  }

  @UseInterceptors(PassOn)
  @MessagePattern('intercepted observable')
  interceptedObservable(): Observable<number> {
    return ticks('intercepted observable');
  }

  @MessagePattern('generator')
  generator(): AsyncGenerator<number> {
    return count('generator');
  }

  @UseInterceptors(PassOn)
  @MessagePattern('intercepted generator')
  interceptedGenerator(): AsyncGenerator<number> {
    return count('intercepted generator');
  }

  @MessagePattern('stream')
  stream(): Readable {
    const stream = new Readable({ read: () => void stream.push('x'.repeat(1_000)) });
    return stream.on('close', () => ended.push('stream'));
  }
}

function ticks(name: string): Observable<number> {
  return interval(1).pipe(finalize(() => ended.push(name)));
}

async function* count(name: string): AsyncGenerator<number> {
  try {
    for (let number = 0; ; number++) yield number;
  } finally {
    ended.push(name);
  }
}

const controllers = [EndlessController];

describe('endless answers', () => {
  it.each([
    ['unsubscribes', (_client: SealwireClient, calls: Subscription[]) => calls.forEach((call) => call.unsubscribe())],
    ['closes', (client: SealwireClient) => client.close()],
    ['loses its socket', (client: SealwireClient) => void client.unwrap().destroy()],
  ])('end with a client that %s', async (_how, leave) => {
    const { client, server } = await startApplication({ controllers });
    const values = { count: 0 };
    const calls = PATTERNS.map((pattern) =>
      client.send(pattern, 0).subscribe({ next: () => (values.count += 1), error: () => undefined }),
    );
    await expect.poll(() => values.count).toBeGreaterThan(100);
    expect(server.snapshot().running).toBe(PATTERNS.length);
    leave(client, calls);
    await expect.poll(() => [...ended].sort()).toEqual(PATTERNS);
    await expect.poll(() => server.snapshot()).toMatchObject({ running: 0, inFlight: 0 });
  });

  it('end with a client whose process is killed', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sealwire-leaks-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const keyFile = join(directory, 'aes_key.bin');
    await createKeyFile(keyFile);
    const { server } = await startApplication({ controllers, server: { keyring: await loadKeyring(keyFile) } });
    const args = [fixture('streaming-client.mjs'), String(portOf(server)), keyFile, ...PATTERNS];
    const client = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void client.kill('SIGKILL'));
    const lines: string[] = [];
    createInterface({ input: client.stdout }).on('line', (line) => lines.push(line));
    await expect.poll(() => lines.sort()).toEqual(PATTERNS.map((pattern) => `streaming ${pattern}`).sort());
    expect(server.snapshot()).toMatchObject({ running: PATTERNS.length, connections: 1 });
    client.kill('SIGKILL');
    await expect.poll(() => [...ended].sort()).toEqual(PATTERNS);
    await expect.poll(() => server.snapshot()).toMatchObject({ running: 0, inFlight: 0, connections: 0 });
  });
});

interface Holding {
  readonly resources: readonly string[];
  readonly listeners: readonly string[];
  readonly server: object;
  readonly heapBytes: number;
}

/** What the compiler and the caches of Node still add after a thousand times; it does not grow with their number. */
const HEAP_SLACK_BYTES = 1_048_576;

type Scenario = 'unsubscribe' | 'refuse' | 'reconnect';

describe('a thousand times more', () => {
  let held: Readonly<Record<Scenario, { readonly before: Holding; readonly after: Holding }>>;

  beforeAll(async () => {
    const args = ['--expose-gc', fixture('leak-probe.mjs'), '1000'];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    held = JSON.parse(stdout);
  });

  it.each([
    ['requests that are unsubscribed', 'unsubscribe'],
    ['connections that are refused', 'refuse'],
    ['connections after a loss or a close', 'reconnect'],
  ] as const)('%s leave sockets, timers, listeners and memory as before', (_what, scenario) => {
    const { before, after } = held[scenario];
    expect(after.resources).toEqual(before.resources);
    expect(after.resources.filter((name) => name === 'TCPSocketWrap')).toHaveLength(2);
    expect(after.listeners).toEqual(before.listeners);
    expect(after.server).toEqual({ connections: 1, strangers: 0, inFlight: 0, running: 0 });
    expect(after.heapBytes - before.heapBytes).toBeLessThan(HEAP_SLACK_BYTES);
  });
});
