import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { createKeyFile, generateKey, Keyring, SecretKey, WatchedKeyFile } from '@sealwire/crypto';
import { collectMetrics } from '@sealwire/transport/metrics';
import type { MetricsOptions } from '@sealwire/transport/metrics';
import { Registry } from 'prom-client';
import { firstValueFrom, NEVER, of, Subject } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { CallTrace } from '../../libs/brokers/src/call-trace.js';
import { Refusals } from '../../libs/brokers/src/seal/refusals.js';
import { all, arrived, outcome, startApplication, startCaller } from '../support/application.js';
import { endAll, newKeyring, portOf } from '../support/pair.js';

const DURATION = 'sealwire_call_duration_seconds';
const MAX_PATTERNS = 3;

const entered = new Subject<void>();

@Controller()
class CallController {
  @MessagePattern('echo')
  echo(@Payload() value: unknown): unknown {
    return value;
  }

  @MessagePattern('three')
  three(): Observable<number> {
    return of(1, 2, 3);
  }

  @MessagePattern('refuse')
  refuse(): never {
    throw new RpcException('no');
  }

  @MessagePattern('hold')
  hold(): Observable<never> {
    entered.next();
    return NEVER;
  }

  @EventPattern('noted')
  noted(@Payload() _value: unknown): void {}
}

const controllers = [CallController];

afterEach(() => endAll());

/** Collects until the test ends. */
function collect(options: Omit<MetricsOptions, 'register'> = {}): Registry {
  const register = new Registry();
  onTestFinished(collectMetrics({ register, ...options }));
  return register;
}

interface Value {
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
  /** The name with its ending, of a histogram. */
  readonly metricName?: string;
}

async function valuesOf(register: Registry, name: string): Promise<readonly Value[]> {
  const metric = await register.getSingleMetric(name)?.get();
  return (metric?.values ?? []) as Value[];
}

/** Returns the value with these labels; undefined if there is none. */
async function valueOf(register: Registry, name: string, wanted: Value['labels'] = {}): Promise<number | undefined> {
  const values = await valuesOf(register, name);
  const found = values.find(({ labels }) => Object.entries(wanted).every(([label, text]) => labels[label] === text));
  return found?.value;
}

/** Returns the values of a label, each once. */
async function textsOf(register: Registry, name: string, label: string): Promise<ReadonlySet<string | undefined>> {
  return new Set((await valuesOf(register, name)).map(({ labels }) => labels[label]));
}

describe('metrics of calls', () => {
  it('count requests, events and streams at both ends by pattern and outcome', async () => {
    const register = collect();
    const { client } = await startApplication({ controllers });
    await outcome(client.send('echo', 1));
    await outcome(client.send('echo', 2));
    await all(client.send('three', 0));
    await outcome(client.send('refuse', 0));
    await arrived(client.emit('noted', 0));
    const count = (side: string, pattern: string, ended: string) =>
      valueOf(register, 'sealwire_calls_total', { side, pattern, outcome: ended });
    await expect.poll(() => count('server', 'noted', 'ok')).toBe(1);
    expect(await count('server', 'echo', 'ok')).toBe(2);
    expect(await count('server', 'three', 'ok')).toBe(1);
    expect(await count('server', 'refuse', 'error')).toBe(1);
    expect(await count('client', 'echo', 'ok')).toBe(2);
    expect(await count('client', 'three', 'ok')).toBe(1);
    expect(await count('client', 'noted', 'ok')).toBe(1);
    expect(await valueOf(register, 'sealwire_calls_total', { side: 'client', kind: 'event' })).toBe(1);
  });

  it('measure the duration of a call in seconds', async () => {
    const register = collect();
    const { client } = await startApplication({ controllers });
    const startMs = performance.now();
    await outcome(client.send('echo', 1));
    const maxSeconds = (performance.now() - startMs) / 1_000;
    const ofClient = (await valuesOf(register, DURATION)).filter(({ labels }) => labels['side'] === 'client');
    const partOf = (part: string) => ofClient.find(({ metricName }) => metricName === `${DURATION}_${part}`);
    expect(partOf('count')?.value).toBe(1);
    expect(partOf('sum')?.value).toBeGreaterThan(0);
    expect(partOf('sum')?.value).toBeLessThanOrEqual(maxSeconds);
  });

  it('show the calls that run, and count a cancelled one', async () => {
    const register = collect();
    const { client } = await startApplication({ controllers });
    const running = firstValueFrom(entered);
    const call = client.send('hold', 0).subscribe();
    await running;
    expect(await valueOf(register, 'sealwire_calls_in_flight', { side: 'client' })).toBe(1);
    expect(await valueOf(register, 'sealwire_calls_in_flight', { side: 'server' })).toBe(1);
    expect(await valueOf(register, 'sealwire_calls_waiting')).toBe(0);
    call.unsubscribe();
    await expect.poll(() => valueOf(register, 'sealwire_calls_in_flight', { side: 'server' })).toBe(0);
    expect(await valueOf(register, 'sealwire_calls_in_flight', { side: 'client' })).toBe(0);
    expect(await valueOf(register, 'sealwire_calls_total', { side: 'server', outcome: 'cancelled' })).toBe(1);
  });

  it('show the calls that wait for a connection, and count their failure by its code', async () => {
    const { app, server } = await startApplication({ controllers });
    const port = portOf(server);
    await app.close();
    const register = collect();
    const caller = await startCaller(port, { timeouts: { waitForConnectionMs: 60_000 } });
    const call = caller.send('echo', 1).subscribe();
    expect(await valueOf(register, 'sealwire_calls_waiting')).toBe(1);
    call.unsubscribe();
    expect(await valueOf(register, 'sealwire_calls_waiting')).toBe(0);
    await outcome((await startCaller(port)).send('echo', 1));
    expect(await valueOf(register, 'sealwire_calls_total', { outcome: 'ERR_CONNECT_FAILED' })).toBe(1);
  });

  it('count the attempts of a call that moves to another connection', async () => {
    const register = collect();
    const { client } = await startApplication({ controllers, client: { idempotent: true } });
    const first = firstValueFrom(entered);
    const call = client.send('hold', 0).subscribe();
    await first;
    const second = firstValueFrom(entered);
    client.unwrap().destroy();
    await second;
    call.unsubscribe();
    expect(await valueOf(register, 'sealwire_call_retries_total')).toBe(1);
  });
});

describe('the label `pattern`', () => {
  it('has a bounded number of values at each end', async () => {
    const register = collect({ maxPatterns: MAX_PATTERNS });
    const { client } = await startApplication({
      controllers,
      configure: (_app, server) => {
        for (let index = 0; index < 10; index += 1) {
          server.addHandler(`made ${index}`, () => Promise.resolve(index));
        }
      },
    });
    for (let index = 0; index < 10; index += 1) await outcome(client.send(`made ${index}`, 0));
    await expect.poll(() => valueOf(register, 'sealwire_calls_in_flight', { side: 'server' })).toBe(0);
    const patterns = new Set(['made 0', 'made 1', 'made 2', 'other']);
    expect(await textsOf(register, 'sealwire_calls_total', 'pattern')).toEqual(patterns);
    expect(await textsOf(register, DURATION, 'pattern')).toEqual(patterns);
    expect(await valueOf(register, 'sealwire_calls_total', { side: 'server', pattern: 'other' })).toBe(7);
  });

  it('has no value for patterns without a handler, for those that are too long, and for failures alone', async () => {
    const register = collect();
    const long = 'x'.repeat(200);
    const { client } = await startApplication({
      controllers,
      configure: (_app, server) => server.addHandler(long, () => Promise.resolve(1)),
    });
    await outcome(client.send('no such pattern', 0));
    await arrived(client.emit('no such event', 0));
    await outcome(client.send(long, 0));
    await outcome(client.send('refuse', 0));
    await outcome(client.send('echo', 0));
    await expect.poll(() => valueOf(register, 'sealwire_calls_total', { side: 'server', pattern: 'echo' })).toBe(1);
    const ofServer = (await valuesOf(register, 'sealwire_calls_total')).filter(
      ({ labels }) => labels['side'] === 'server',
    );
    expect(new Set(ofServer.map(({ labels }) => labels['pattern']))).toEqual(new Set(['echo', 'other', 'refuse']));
    expect(
      await valueOf(register, 'sealwire_calls_total', { side: 'client', pattern: 'other', outcome: 'error' }),
    ).toBe(2);
    expect(await valueOf(register, 'sealwire_calls_total', { side: 'client', pattern: 'refuse' })).toBeUndefined();
  });
});

describe('metrics of calls through a broker', () => {
  it.each(['client', 'server'] as const)('count those of a %s beside the calls of the channel', async (side) => {
    const register = collect();
    const call = { side, system: 'nats', kind: 'request', pattern: 'price' } as const;
    const running = CallTrace.start(call);
    CallTrace.start(call)?.end();
    CallTrace.start(call)?.fail(new Error('of the application'));
    expect(await valueOf(register, 'sealwire_calls_in_flight', { side })).toBe(1);
    expect(await valueOf(register, 'sealwire_calls_waiting')).toBe(0);
    running?.cancel();
    expect(await valueOf(register, 'sealwire_calls_in_flight', { side })).toBe(0);
    for (const end of ['ok', 'error', 'cancelled'])
      expect(await valueOf(register, 'sealwire_calls_total', { side, pattern: 'price', outcome: end })).toBe(1);
  });
});

describe('metrics of connections', () => {
  it('count the open connections of each key, and have no value for a key without any', async () => {
    const register = collect();
    const [first, second] = [newKeyring(), newKeyring()];
    const keyring = Keyring.of(first.primary, second.primary);
    const { server, client } = await startApplication({
      controllers,
      server: { keyring },
      client: { keyring: first },
    });
    const others = [
      await startCaller(portOf(server), { keyring: second }),
      await startCaller(portOf(server), { keyring: second }),
    ];
    for (const caller of [client, ...others]) await outcome(caller.send('echo', 1));
    const countsOf = async (side: string) => {
      const values = await valuesOf(register, 'sealwire_connections_by_key');
      const ofSide = values.filter(({ labels }) => labels['side'] === side);
      return Object.fromEntries(ofSide.map(({ labels, value }) => [labels['key_id'], value]));
    };
    const both = { [first.primary.id]: 1, [second.primary.id]: 2 };
    expect([await countsOf('server'), await countsOf('client')]).toEqual([both, both]);
    await client.close();
    await expect.poll(() => countsOf('server')).toEqual({ [second.primary.id]: 2 });
  });

  it('show open connections, and the bytes on the wire while they are open and after', async () => {
    const register = collect();
    const { client } = await startApplication({ controllers });
    await outcome(client.send('echo', 'x'.repeat(10_000)));
    const sent = await valueOf(register, 'sealwire_sent_bytes_total', { side: 'client' });
    expect(sent).toBeGreaterThan(10_000);
    expect(await valueOf(register, 'sealwire_received_bytes_total', { side: 'server' })).toBeGreaterThan(10_000);
    for (const side of ['client', 'server']) {
      expect(await valueOf(register, 'sealwire_connections', { side })).toBe(1);
      expect(await valueOf(register, 'sealwire_handshakes_total', { side, outcome: 'ok' })).toBe(1);
    }
    await client.close();
    await expect.poll(() => valueOf(register, 'sealwire_connections', { side: 'server' })).toBe(0);
    await expect.poll(() => valueOf(register, 'sealwire_connections', { side: 'client' })).toBe(0);
    expect(await valueOf(register, 'sealwire_sent_bytes_total', { side: 'client' })).toBeGreaterThanOrEqual(
      sent ?? NaN,
    );
    expect(await valueOf(register, 'sealwire_connections_closed_total', { side: 'server', outcome: 'ok' })).toBe(1);
  });

  it('count failed handshakes by their code', async () => {
    const register = collect();
    const { server } = await startApplication({ controllers });
    const stranger = await startCaller(portOf(server), { keyring: newKeyring() });
    await expect(stranger.connect()).rejects.toMatchObject({ code: 'ERR_ALERT' });
    const failed = (side: string, code: string) =>
      valueOf(register, 'sealwire_handshakes_total', { side, outcome: code });
    await expect.poll(() => failed('server', 'ERR_UNKNOWN_KEY')).toBe(1);
    expect(await failed('client', 'ERR_ALERT')).toBe(1);
  });

  it('count lost connections by their code', async () => {
    const register = collect();
    const { client } = await startApplication({ controllers });
    await client.connect();
    client.unwrap().destroy();
    const lost = { side: 'client', outcome: 'ERR_CONNECTION_LOST' };
    await expect.poll(() => valueOf(register, 'sealwire_connections_closed_total', lost)).toBe(1);
  });
});

describe('metrics of refusals', () => {
  it('count calls that the key may not make, and calls beyond the limit of handlers', async () => {
    const register = collect();
    const limited = Keyring.of(SecretKey.fromBytes(generateKey(), 'key', { patterns: ['hold'] }));
    const options = { keyring: limited };
    const server = { ...options, limits: { maxRunning: 1 } };
    const { client } = await startApplication({ controllers, server, client: options });
    await outcome(client.send('echo', 1));
    const running = firstValueFrom(entered);
    const call = client.send('hold', 0).subscribe();
    await running;
    await outcome(client.send('hold', 0));
    call.unsubscribe();
    const refused = (reason: string) => valueOf(register, 'sealwire_calls_refused_total', { kind: 'request', reason });
    expect(await refused('forbidden')).toBe(1);
    expect(await refused('overloaded')).toBe(1);
  });

  it('count requests and events of which no handler has the pattern, and not the pattern', async () => {
    const register = collect();
    const { client } = await startApplication({ controllers });
    await outcome(client.send('chosen by a stranger', 1));
    await outcome(client.emit('chosen by a stranger', 1));
    for (const kind of ['request', 'event']) {
      const labels = { kind, reason: 'no_handler' };
      expect(await valueOf(register, 'sealwire_calls_refused_total', labels)).toBe(1);
    }
    const series = (await register.metrics()).split('\n').filter((line) => !line.includes('side="client"'));
    expect(series.join('\n')).not.toContain('stranger');
  });

  it('count messages that the server cannot read', async () => {
    const register = collect();
    const deserializer = {
      deserialize: () => {
        throw new Error('not a packet');
      },
    };
    const { client } = await startApplication({ controllers, server: { deserializer } });
    await outcome(client.send('echo', 1));
    await outcome(client.emit('echo', 1));
    for (const kind of ['request', 'event']) {
      const labels = { kind, reason: 'unreadable' };
      expect(await valueOf(register, 'sealwire_calls_refused_total', labels)).toBe(1);
    }
  });

  it('count messages that are too complex for the server', async () => {
    const register = collect();
    const { client } = await startApplication({ controllers, server: { limits: { maxJsonNodes: 10 } } });
    const complex = ['x'.repeat(70_000), ...Array.from({ length: 20 }, () => ['y'])]; // beyond the check of the client
    await outcome(client.send('echo', complex));
    await outcome(client.emit('echo', complex));
    for (const kind of ['request', 'event']) {
      const labels = { kind, reason: 'unreadable' };
      expect(await valueOf(register, 'sealwire_calls_refused_total', labels)).toBe(1);
    }
  });

  it('count messages that were refused at a broker by their reason', async () => {
    const register = collect();
    const refusals = new Refusals('server', { warn: vi.fn<() => void>() });
    refusals.add('tag', 'nats:chosen by a stranger');
    refusals.add('tag', 'nats:orders');
    const labels = { side: 'server', reason: 'tag' };
    expect(await valueOf(register, 'sealwire_broker_messages_refused_total', labels)).toBe(2);
    expect(await register.metrics()).not.toContain('stranger');
  });
});

describe('metrics of key files', () => {
  it('show when the keys were loaded, how many there are, and that a wrong file was not loaded', async () => {
    const register = collect();
    const folder = mkdtempSync(join(tmpdir(), 'sealwire-metrics-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'aes_key.bin');
    await createKeyFile(file);
    const beforeSeconds = Date.now() / 1_000 - 1;
    const keys = await WatchedKeyFile.open(file);
    onTestFinished(() => keys.close());
    expect(await valueOf(register, 'sealwire_key_file_usable_keys', { file })).toBe(1);
    expect(await valueOf(register, 'sealwire_key_file_last_read_successful', { file })).toBe(1);
    expect(await valueOf(register, 'sealwire_key_file_reads_total', { file, outcome: 'loaded' })).toBe(1);
    const loaded = await valueOf(register, 'sealwire_key_file_loaded_timestamp_seconds', { file });
    expect(loaded).toBeGreaterThanOrEqual(beforeSeconds);
    expect(loaded).toBeLessThanOrEqual(Date.now() / 1_000);
    keys.reload();
    expect(await valueOf(register, 'sealwire_key_file_reads_total', { file, outcome: 'unchanged' })).toBe(1);
    writeFileSync(file, 'not a key');
    keys.reload();
    expect(await valueOf(register, 'sealwire_key_file_last_read_successful', { file })).toBe(0);
    expect(await valueOf(register, 'sealwire_key_file_loaded_timestamp_seconds', { file })).toBe(loaded);
    const outcomes = await textsOf(register, 'sealwire_key_file_reads_total', 'outcome');
    expect(outcomes).toEqual(new Set(['loaded', 'unchanged', keys.status.error?.code]));
    expect(keys.status.error?.code).toMatch(/^ERR_KEY_/);
  });
});

describe('collectMetrics', () => {
  it('leaves nothing in the registry after its end, and can be called again', async () => {
    const register = new Registry();
    const stop = collectMetrics({ register });
    expect(register.getMetricsAsArray().length).toBeGreaterThan(10);
    stop();
    expect(register.getMetricsAsArray()).toEqual([]);
    collectMetrics({ register })();
    const { client } = await startApplication({ controllers });
    expect(await outcome(client.send('echo', 1))).toBe(1);
    expect(register.getMetricsAsArray()).toEqual([]);
  });

  it('refuses a second collection in one registry, and leaves the first one as it is', async () => {
    const register = collect();
    expect(() => collectMetrics({ register })).toThrow('already been registered');
    const { client } = await startApplication({ controllers });
    await outcome(client.send('echo', 1));
    expect(await valueOf(register, 'sealwire_calls_total', { side: 'client', pattern: 'echo' })).toBe(1);
  });
});
